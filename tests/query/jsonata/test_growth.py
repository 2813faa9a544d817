"""Which expressions may make much out of little, and that those are measured before anything is taken out."""

from __future__ import annotations

from typing import Any

import pytest

from detent.query.jsonata.engine import QUICK, Document, Program
from detent.query.jsonata.growth import may_outgrow, needs_room
from detent.query.jsonata.parser import parse
from detent.query.jsonata.references import references

INPUT = {"rows": [{"id": n, "tags": ["a", "b"]} for n in range(1000)]}

#: The bounds of a quick evaluation, on a machine that may be busy with other things.
UNHURRIED = QUICK._replace(milliseconds=60_000)

#: Each would take more memory than there is, or minutes, if it came out.
BOMBS = {
    "a function that calls itself": (
        "($f := function($a, $n) { $n = 0 ? $a : $f({'l': $a, 'r': $a}, $n - 1) }; $f(1, 60))"
    ),
    "the same with lists": ("($f := function($a, $n) { $n = 0 ? $a : $f([[$a], [$a]], $n - 1) }; $f(1, 60))"),
    "a function given to itself": (
        "(function($f, $x) { $f($f, {'l': $x, 'r': $x}) })(function($f, $x) { $f($f, {'l': $x, 'r': $x}) }, 1)"
    ),
    "a fold that doubles": "$reduce([1..60], function($a, $n) { {'l': $a, 'r': $a} }, 1)",
    "names made of names": "($a := 1; " + "$a := {'l': $a, 'r': $a}; " * 60 + "$a)",
    "calls inside calls": (
        "($f := function($x) { {'l': $x, 'r': $x} }; " + "$f(" * 60 + "1" + ")" * 60 + ")"
    ),
    "steps upon steps": "$states.input" + ".{'l': $, 'r': $}" * 60,
    "functions made of functions": (
        "($f := function($x) { {'l': $x, 'r': $x} }; $g := $f ~> $f ~> $f ~> $f; $h := $g ~> $g ~> $g ~> $g; "
        "$i := $h ~> $h ~> $h ~> $h; $i(1))"
    ),
    "the input in every item": "[1..99999].{'all': $states.input}",
    "the input for every item": "$map([1..99999], function($n) { $states.input })",
    "the input in every row": "{'rows': $states.input.rows.{'all': $states.input}}",
    "the input under every key": "$states.input.rows{$string(id): $states.input}",
    "the input in a copy of itself": "$states.input ~> |rows|{'all': $states.input}|",
    "lists joined for every item": "[1..99999].($states.input.rows)",
    "lists joined for every row": "$states.input.rows.$append($states.input.rows, 1).$append($states.input.rows, 1)",
    "an endless loop": "($f := function($n) { $f($n + 1) }; $f(0))",
    "a text that doubles": "($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('x', 40))",
    "loops inside loops": "$map([1..99999], function($x) { $sum($map([1..99999], function($y) { $x * $y })) })",
    "a text written of what was shared": "$length($string([1..99999].{'all': $states.input}))",
    "a comparison of what was shared": (
        "($f := function($a, $n) { $n = 0 ? $a : $f([[$a], [$a]], $n - 1) }; $f(1, 60) = $f(1, 60))"
    ),
    "a question to what was shared": (
        "($f := function($a, $n) { $n = 0 ? $a : $f([[$a], [$a]], $n - 1) }; $f(0, 60) ? 1 : 2)"
    ),
    "a text made of names": "($a := 'x'; " + "$a := $a & $a; " * 8 + "$a)",
    "a text put in place of each character": "$replace($pad('', 99999), ' ', $pad('', 99999))",
    "a text between others": "$join($split($pad('', 50000), ''), $pad('', 50000))",
    "matches": "$match($pad('', 50000), / /)",
    "differences": "$distinct([1..20000])",
    "padding": "$pad('x', 200000000)",
    "a little padding": "$pad('x', 60000)",
    "a function of ours over a list": "$shuffle([1..6000])",
    "many chunks of ours": "$partition([1..6000], 1)",
    "a long range of ours": "$range(1, 6000, 1)",
    "a long list": "[1..800000]",
}


def quick(text: str) -> Any:
    tree = parse(text)
    return Program(text, tree, references(tree)).quick(Document({"input": INPUT}, {}, 0), None)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_what_needs_more_than_a_little_is_given_up_quickly(bomb: str) -> None:
    assert quick(bomb) is None


@pytest.mark.parametrize(
    "text",
    [
        "$states.input.rows[id > 3].tags",
        "$sum($states.input.rows.id)",
        "$map($states.input.rows, function($r) { {'id': $r.id, 'n': $count($r.tags)} })",
        "$states.input.rows.{'id': id, 'of': $count($states.input.rows)}",
        "$reduce($states.input.rows.id, function($a, $n) { $a + $n }, 0)",
        "$merge([$states.input, {'done': true}])",
        "($total := $sum($states.input.rows.id); {'total': $total, 'mean': $total / 2})",
        "$states.input.rows ~> $filter(function($r) { $r.id > 3 }) ~> $count()",
        "$states.input.rows^(>id)[0]",
        "($last := $count($states.input.rows) - 1; $states.input.rows[$last].tags)",
    ],
)
def test_the_everyday_is_neither_measured_nor_put_off(text: str) -> None:
    assert not may_outgrow(parse(text))
    assert not needs_room(parse(text))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("$reduce([1..5], function($a, $n) { {'l': $a, 'n': $a.n} }, {'n': 1}).n", 1),
        ("[1..3].{'all': $states.input.rows[0].id, 'x': $variable}", [{"all": 0}] * 3),
        ("($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(6))", 720),
        ("($f := function($n) { $n = 0 ? [] : [[$n], $f($n - 1)] }; $f(2))", [[2], [1]]),
    ],
)
def test_what_is_measured_comes_out_as_it_is(text: str, answer: Any) -> None:
    assert may_outgrow(parse(text))
    tree = parse(text)
    outcome = Program(text, tree, references(tree)).run(Document({"input": INPUT}, {}, 0), None, UNHURRIED)
    assert outcome.value == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("$distinct([1, 2, 1])", [1, 2]),
        ("$distinct(1)", 1),
        ("$join(['a', 'b'], '-') & $join('c') & $join(['d', 'e'])", "a-bcde"),
        ("$replace('abb', /b/, '[$0]', 1) & $replace('abb', 'b', function($m) { 'x' })", None),
        ("$replace('abb', /b/, function($m) { $uppercase($m.match) })", "aBB"),
        ("$split('a-b-c', '-', 2)", ["a", "b"]),
        ("$split('a1b', /[0-9]/)", ["a", "b"]),
        ("$match('abab', /b/)[1].index", 3),
        ("'abc' ~> $replace('b', 'x')", "axc"),
        ("$map(['a-b', 'c'], $split(?, '-'))", [["a", "b"], ["c"]]),
        ("$exists($split($nothing, ','))", False),
        ("$range(1, 5, 2)", [1, 3, 5]),
        ("$exists($range(1, 5, 0))", False),
        ("$partition([1..3], 2)", [[1, 2], [3]]),
        ("$pad('x', -3, '#')", "##x"),
    ],
)
def test_guarded_functions_are_what_they_were(text: str, answer: Any) -> None:
    tree = parse(text)
    program = Program(text, tree, references(tree))
    document = Document({"input": INPUT}, {}, 0)
    unguarded = program.run(document, None, UNHURRIED._replace(size=None))
    outcome = program.run(document, None, UNHURRIED)
    if answer is None:
        assert outcome.type == unguarded.type == "error"
        assert outcome.value.code == unguarded.value.code
    else:
        assert outcome.value == unguarded.value == answer
