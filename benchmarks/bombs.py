"""Executions that nobody means well with: definitions by kind, and the inputs that they are started with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

#: Expressions that take all time or all memory where nothing stops them, by what they do.
EXPRESSIONS = {
    "recursion": [
        "($f := function($n) {$f($n + 1)}; $f(0))",
        "($f := function($n) {1 + $f($n + 1)}; $f(0))",
    ],
    "regex": [
        "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /(a+)+$/)",
        "$match($pad('', 60000, 'a'), /(a|aa)+$/)",
        "$replace($pad('', 200000, 'a'), /a/, 'bb')",
        "$contains($states.input.s, /(x+x+)+y/)",
        "$split($states.input.s, /(x*)*/)",
    ],
    "doubling": [
        "($d := function($s) {$d($s & $s)}; $d('x'))",
        "$reduce([1..30], function($a, $b) {$a & $a}, 'x')",
        "$reduce([1..25], function($a, $b) {[$a, $a]}, [1])",
    ],
    "pad": [
        "$pad('x', 2000000000)",
        "$pad('x', 4000000)",
        "$pad('x', 4194304, 'abc')",
        "$length($pad('x', 4000000))",
        "$map([1..50], function($x) {$pad('x', 90000)})",
    ],
    "range": [
        "[1..9999999]",
        "$sum([1..10000000])",
        "$sum([1..10000].([1..10000]))",
        "[1..99999]",
        "$string([1..99999])",
        "[1..1000].([1..99])",
        "$shuffle([1..90000])",
        "$partition([1..90000], 1)",
    ],
    "sort": [
        "$sort([1..200000], function($a, $b) {$a < $b})",
        "$sort([1..90000])",
        "$distinct([1..50000])",
        "$sort($states.input.w)",
        "$states.input.w^(>$)",
        "$states.input.w{$string($): $}",
    ],
    "map": [
        "$reduce([1..5000000], function($a, $b) {$a + $b})",
        "$map([1..3000], function($v) {$map([1..3000], function($w) {$v * $w})})",
        "$map($states.input.w, function($v) {$map($states.input.w, function($x) {$x + $v})})",
        "$hash($string($states.input), 'SHA-512')",
        "$parse($states.input.j)",
        "$states.input.**",
    ],
}
PATHS: list[dict[str, Any]] = [
    {"InputPath": "$.l[?(@ =~ /(a+)+$/)]"},
    {"Parameters": {"x.$": "$..*"}},
    {"Parameters": {"x.$": "$..*..*"}},
    {"Parameters": {"x.$": "$..b..b"}},
    {"Parameters": {"x.$": "$..[?(@.b)]..[?(@.b)]..[?(@.b)]"}},
    {"Parameters": {"x.$": "$.w[?(@ > 5 && @ < 20000)]"}},
    {"Parameters": {"x.$": "$.w[?(@ subsetof $.w)]"}},
    {"Parameters": {"x.$": "States.ArrayUnique($.w)"}},
    {"Parameters": {"x.$": "States.ArrayPartition($.w, 1)"}},
    {"Parameters": {"x.$": "States.JsonToString($)"}},
    {"Parameters": {"x.$": "States.StringToJson($.j)"}},
    {"Parameters": {"x.$": "States.StringSplit($.s, 'x')"}},
    {"Parameters": {"x.$": f"States.Array({', '.join(['$'] * 100)})"}},
]
#: Each is evaluated a thousand times in one state.
MANY_EXPRESSIONS = [
    "[1..9999]",
    "$sum([1..400000])",
    "$states.input.w",
    "$string($states.input)",
    "$pad('x', 20000)",
    "$count($states.input.**)",
]
MANY_PATHS = [
    "States.ArrayUnique($.w)",
    "$..*",
    "States.JsonToString($)",
    "$.w[?(@ > 5)]",
    "States.StringToJson($.j)",
    "States.ArrayPartition($.w, 2)",
]
REPEATS = 1_000


def sized(kilobytes: int) -> Any:
    """An input of about that size with long texts, lists and objects in it."""
    size = kilobytes * 1024
    return {
        "s": "x" * (size // 8),
        "w": [(number * 7919) % 65537 for number in range(size // 28)],
        "l": ["a" * 40 + "!"] * (size // 512),
        "b": [{"b": {"b": [1] * 20}}] * (size // 1024),
        "j": json.dumps([[1, {"a": 2}]] * (size // 128)),
    }


def _machine(**members: Any) -> Any:
    return {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True} | members}}


def _jsonata(output: Any) -> Any:
    return _machine(QueryLanguage="JSONata", Output=output)


def _loops() -> list[Any]:
    """Machines that go round until their time is over."""
    turns: list[dict[str, Any]] = [
        {"Parameters": {"x.$": "$.x"}},
        {"ResultPath": "$.y", "Result": 1},
        {"Parameters": {"x.$": "$.x"} | {f"k{number}.$": "$.y" for number in range(3_000)}},
        {"QueryLanguage": "JSONata", "Output": "{% {'x': $states.input.x, 'n': 1 + 1} %}"},
    ]
    around = {
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.zz", "IsPresent": True, "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    }
    return [
        {
            "StartAt": "A",
            "TimeoutSeconds": 10,
            "States": {"A": {"Type": "Pass", "Next": "B"} | members} | around,
        }
        for members in turns
    ]


def _maps() -> list[Any]:
    """Machines of which each begins thousands of branches or iterations."""

    def inner(name: str, **members: Any) -> Any:
        return {"StartAt": name, "States": {name: {"Type": "Pass", "End": True} | members}}

    page = inner("B", QueryLanguage="JSONata", Output="{% [1..3000] %}")
    return [
        _machine(Type="Parallel", Branches=[inner(f"B{number}") for number in range(3_000)]),
        _machine(Type="Map", QueryLanguage="JSONata", Items="{% [1..50000] %}", ItemProcessor=inner("B")),
        _machine(Type="Map", QueryLanguage="JSONata", Items="{% [1..500] %}", ItemProcessor=page),
    ]


def _large_inputs() -> list[bytes]:
    texts = [
        "[" * 60 + "]" * 60,
        "[" * 90_000 + "]" * 90_000,
        json.dumps([[]] * 80_000),
        json.dumps({f"k{number}": number for number in range(20_000)}),
        json.dumps("x" * 250_000),
        json.dumps("\u00e9\u2028\U0001f600" * 30_000),
        json.dumps(sized(200)),
        json.dumps(sized(900)),
        "[" + "1," * 2_400_000 + "1]",
        "[" + "{}," * 1_600_000 + "{}]",
    ]
    return [text.encode() for text in texts]


def attack(kind: str) -> tuple[list[Any], list[bytes]]:
    """The definitions of a kind of attack, and inputs for each of them. KeyError for a kind that is none."""
    definitions, inputs = _ATTACKS[kind]
    return list(definitions), inputs


def _of(expressions: Iterable[str]) -> list[Any]:
    return [_jsonata(f"{{% {text} %}}") for text in expressions]


def _often(expressions: Iterable[str], paths: Iterable[str]) -> list[Any]:
    return [
        *(_jsonata({f"k{number}": f"{{% {text} %}}" for number in range(REPEATS)}) for text in expressions),
        *(_machine(Parameters={f"k{number}.$": path for number in range(REPEATS)}) for path in paths),
    ]


_MIDDLING = [json.dumps(sized(40)).encode()]
_ATTACKS: dict[str, tuple[list[Any], list[bytes]]] = {
    **{kind: (_of(texts), _MIDDLING) for kind, texts in EXPRESSIONS.items()},
    "paths": ([_machine(**members) for members in PATHS], [*_MIDDLING, json.dumps(sized(200)).encode()]),
    "many": (_often(MANY_EXPRESSIONS, MANY_PATHS), [json.dumps(sized(100)).encode()]),
    "maps": (_maps(), [b"{}"]),
    "loops": (_loops(), [json.dumps({"x": [[1, None, "a"]] * 15_000, "y": 1}).encode()]),
    "inputs": (
        [
            _machine(),
            _machine(Parameters={"a.$": "$", "c.$": "$$"}),
            _jsonata("{% {'a': $states.input, 'b': $count($states.input.w)} %}"),
        ],
        _large_inputs(),
    ),
}
KINDS = tuple(_ATTACKS)
