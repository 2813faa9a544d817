"""Thousands of requests and definitions that nobody means well with: each gets a clean answer (P12, P13).

A clean answer is 2xx or a well-formed 4xx, at full size within ten seconds. The log tells of no defect, memory does not
grow by 100 MB, and an innocent execution beside them goes on. ``TORTURE=2`` asks everything, and not a sample.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .attacks import PREFIX, ROLE, Attack, aws, aws_attacks, rest_attacks, sample
from .definitions import definitions, machine
from .test_timers import Answering, p99
from .world import PATIENCE, SIZE, Answer, World, say, world

MEMORY_MAX = 100 * 1024 * 1024
#: How long an answer may take, in seconds: timed where the machine does nothing else.
ANSWER_SECONDS = PATIENCE if SIZE == 1 else 10
CLIENTS = 4
#: Over how many servers the definitions are spread: each gets more than two thousand requests at full size.
SHARES = 1 if SIZE == 1 else 3
#: How many of each kind are asked; everything at full size.
SAMPLE = 400 if SIZE == 1 else 1_000_000

ECHO: Any = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "task:note", "End": True}}}
HOLD: Any = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 86_400, "End": True}}}


#: A definition that is to be published, under a name of ours.
_NAMED = re.compile(rb'\{"name": "([ha][0-9]+)", "definition": ')


def test_hostile_requests_get_clean_answers(tmp_path: Path) -> None:
    with world(tmp_path) as under:
        under.start()
        known = furnish(under)
        document = under.ask("GET", "/openapi.json").json
        attacks = sample(aws_attacks(known), SAMPLE) + sample(rest_attacks(document, known), SAMPLE)
        judge(under, "P13 requests", attacks)


@pytest.mark.parametrize("share", range(SHARES))
def test_hostile_definitions_get_clean_answers(tmp_path: Path, share: int) -> None:
    with world(tmp_path) as under:
        under.start()
        furnish(under)
        attacks = list(itertools.chain.from_iterable(sample_of_definitions(share)))
        accepted = judge(under, "P13 definitions", attacks)
        begun = [under.begin(name, "e", {"a": [1]}) for name in accepted]
        assert len(begun) == len(accepted)
        until_quiet(under)
        assert "could not be answered" not in under.log()


def furnish(under: World) -> dict[str, Any]:
    """A few sound things, and the values of fields that name them."""
    under.machine("echo", ECHO)
    under.machine("innocent", ECHO)
    under.machine("hold", HOLD)
    assert under.begin("hold", "held")
    activity = under.sfn("CreateActivity", name="act").json["activityArn"]
    # Nobody's: a poll for a task of one that is there is a wait by nature.
    assert activity == f"{PREFIX}:activity:act"
    return {
        "stateMachineArn": f"{PREFIX}:stateMachine:echo",
        "executionArn": f"{PREFIX}:execution:hold:held",
        "resourceArn": f"{PREFIX}:stateMachine:echo",
        "roleArn": ROLE,
        "definition": json.dumps(ECHO),
        "input": "{}",
        "machine": "echo",
        "execution": f"{PREFIX}:execution:hold:held",
        "version": "1",
    }


def sample_of_definitions(share: int) -> Iterator[Iterable[Attack]]:
    """Each definition by every door that takes one."""
    for number, text in enumerate(list(definitions())[share :: 12 if SIZE == 1 else SHARES]):
        named = f'{{"name": "h{number}", "definition": '
        yield (
            Attack("POST", "/v1/machines", f"{named}{text}}}".encode()),
            Attack("POST", "/v1/machines/validate", f'{{"definition": {text}}}'.encode()),
            aws("CreateStateMachine", {"name": f"a{number}", "definition": text, "roleArn": ROLE}),
            aws("ValidateStateMachineDefinition", {"definition": text}),
            aws("TestState", {"definition": state_of(text), "roleArn": ROLE, "input": '{"a": [1]}'}),
        )


def state_of(text: str) -> str:
    """The first state of a definition, if there is one."""
    try:
        return json.dumps(json.loads(text)["States"]["A"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return text


def judge(under: World, what: str, attacks: Sequence[Attack]) -> list[str]:
    """Ask all; the names of the machines that were made."""
    # Everything once for the caches, before memory is measured.
    for attack in attacks[::40]:
        ask(under, attack)
    before = largest = under.memory()
    made: list[str] = []
    times: list[float] = []
    wrong: list[str] = []

    def one(attack: Attack) -> None:
        begun = time.monotonic()
        name, said = ask(under, attack)
        times.append(time.monotonic() - begun)
        if said is None and times[-1] > ANSWER_SECONDS:
            said = f"{attack}: {times[-1]:.1f} s"
        wrong.extend([] if said is None else [said])
        made.extend([] if name is None else [name])

    with Innocent(under) as innocent, ThreadPoolExecutor(CLIENTS) as pool:
        for _ in pool.map(one, attacks):
            largest = max(largest, under.memory())
    assert not wrong, f"{len(wrong)} of {len(attacks)}:\n" + "\n".join(sorted(wrong)[:40])
    assert under.is_running
    assert "could not be answered" not in under.log()
    assert largest - before <= MEMORY_MAX, f"{(largest - before) / 1e6:.0f} MB more"
    say(
        f"{what}: {len(attacks)} of them, 0 findings, {len(made)} taken, {(largest - before) / 1e6:.0f} MB more; "
        f"answers p50 {sorted(times)[len(times) // 2]:.3f} s, p99 {p99(times):.3f} s, max {max(times):.3f} s; "
        f"{len(innocent)} innocent executions meanwhile p50 {sorted(innocent)[len(innocent) // 2]:.3f} s, "
        f"p99 {p99(innocent):.3f} s, max {max(innocent):.3f} s"
    )
    return made


class Innocent:
    """Run one execution after the other beside all that; how long each took, in seconds."""

    def __init__(self, under: World) -> None:
        self.under = under
        self.times: list[float] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while not self.over.is_set():
            begun = time.monotonic()
            body = {"machine": "innocent", "input": {"x": 1}}
            answer = self.under.ask("POST", "/v1/executions?wait=60s", body)
            assert answer.json["status"] == "SUCCEEDED", answer
            self.times.append(time.monotonic() - begun)
            self.over.wait(0.02)

    def __enter__(self) -> list[float]:
        self.thread.start()
        return self.times

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self.thread.join()


def ask(under: World, attack: Attack) -> tuple[str | None, str | None]:
    """The name of the machine that was made, if one was; and what is wrong with the answer, if anything is."""
    try:
        answer = under.ask(attack.method, attack.path, attack.body, dict(attack.headers))
    except OSError as error:
        return None, f"{attack}: {error!r}"
    said = complaint(attack, answer)
    named = _NAMED.match(attack.body or b"")
    made = named[1].decode() if named and answer.status in (200, 201) else None
    return made, None if said is None else f"{attack}: {said}"


def complaint(attack: Attack, answer: Answer) -> str | None:
    if answer.status >= 500 or answer.status < 200:
        return f"{answer.status} {answer.body[:200]!r}"
    if attack.method == "HEAD":
        return None if not answer.body else f"a body: {answer.body[:200]!r}"
    if answer.status < 400:
        return None
    try:
        told = answer.json
    except ValueError:
        return f"{answer.status} {answer.body[:200]!r} is no JSON"
    if attack.speaks_aws:
        is_sound = (
            isinstance(told.get("__type"), str) and answer.headers.get("x-amzn-ErrorType") == told["__type"]
        )
    else:
        is_sound = {"type", "title", "status", "detail"} <= set(told) and told["status"] == answer.status
    return None if is_sound else f"{answer.status} {told} has not the form of an error"


def until_quiet(under: World) -> None:
    """Wait until nothing but waits is left of what was accepted, then end that as well."""
    for one in under.insist("GET", "/v1/executions?limit=1000&status=RUNNING").json["executions"]:
        told = under.insist("POST", f"/v1/executions/{one['id']}/stop", {})
        assert told.status in (200, 202), (one, told)
    under.until_ended()


#: Expressions that take all time or all memory where nothing stops them.
BOMBS = [
    "{% ($f := function($n) {$f($n + 1)}; $f(0)) %}",
    "{% ($f := function($n) {1 + $f($n + 1)}; $f(0)) %}",
    "{% $match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /(a+)+$/) %}",
    "{% [1..9999999] %}",
    "{% $sum([1..10000000]) %}",
    "{% $sum([1..10000].([1..10000])) %}",
    "{% $pad('x', 2000000000) %}",
    "{% ($d := function($s) {$d($s & $s)}; $d('x')) %}",
    "{% $sort([1..200000], function($a, $b) {$a < $b}) %}",
    "{% $reduce([1..5000000], function($a, $b) {$a + $b}) %}",
    "{% $join([1..5000000].$string()) %}",
    "{% $map([1..3000], function($v) {$map([1..3000], function($w) {$v * $w})}) %}",
    "{% $replace($pad('', 200000, 'a'), /a/, $pad('', 20000, 'b')) %}",
    "{% $split($pad('', 5000000, 'a'), '') %}",
    "{% $string([1..2000000]) %}",
]
PATH_BOMBS = [
    {"InputPath": "$.a[?(@ =~ '(a+)+$')]"},
    {"Parameters": {"x.$": "$..*"}},
    {"Parameters": {"x.$": "States.ArrayRange(0, 999999999, 1)"}},
    {"Parameters": {"x.$": "States.ArrayRange(0, 999, 1)"}},
    {"Parameters": {"x.$": "$..[?(@.b)]..[?(@.b)]..[?(@.b)]"}},
    {"Parameters": {"x.$": "States.Base64Decode('x')"}},
    {"Parameters": {"x.$": "States.MathRandom(1, 99999999999999999999)"}},
    {"Parameters": {"x.$": "States.JsonToString($)"}},
]


def test_no_expression_keeps_others_waiting_or_takes_all_memory(tmp_path: Path) -> None:
    input = {"a": ["a" * 40 + "!"] * 100, "b": [{"b": {"b": [1] * 20}}] * 100}
    with world(tmp_path) as under:
        under.start()
        bombs = [
            machine({"Type": "Pass", "Output": text, "End": True}) | {"QueryLanguage": "JSONata"}
            for text in BOMBS
        ]
        bombs += [machine({"Type": "Pass", "End": True} | members) for members in PATH_BOMBS]
        refused = 0
        before = largest = under.memory()
        with Answering(under) as times:
            for number, definition in enumerate(bombs):
                told = under.ask("POST", "/v1/machines", {"name": f"b{number}", "definition": definition})
                assert told.status in (201, 400), told
                if told.status == 400:
                    refused += 1
                    continue
                assert under.begin(f"b{number}", f"e{number}", input)
                largest = max(largest, under.memory())
            ended = under.until_ended()
            largest = max(largest, under.memory())
        assert len(ended) == len(bombs) - refused
        assert largest - before <= MEMORY_MAX
        assert "could not be answered" not in under.log()
        statuses = Counter(one["status"] for one in ended.values())
        say(
            f"P12: {len(bombs)} bombs, {refused} refused, {dict(statuses)}; answers meanwhile p50 "
            f"{sorted(times)[len(times) // 2]:.3f} s, p99 {p99(times):.3f} s, max {max(times):.3f} s; "
            f"{(largest - before) / 1e6:.0f} MB more"
        )
