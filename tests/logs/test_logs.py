"""What releases wrote is read, folded, verified and replayed by this one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from detent.audit import replay, verify_recording
from detent.compile import compile_definition
from detent.core.events import EVENTS
from detent.core.signals import SIGNALS
from detent.history import project
from detent.places import Places
from detent.recording import Recording, fingerprint, read_recording, write_recording
from detent.runtime.compose import RELEASE, open_records
from detent.trace import trace
from detent.visits import visits

from .make import FOLDER, logs

LOGS = sorted(FOLDER.glob("*/*.json"))
NAMES = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in LOGS]

#: Logs whose signals lead elsewhere since a release: name to reason.
DECIDED_OTHERWISE: dict[str, str] = {
    "0.1.0/expression": "T0412 names the function and what its list must hold, as the service does",
    "0.1.0/items-read": "a Map Run that is redriven asks anew for the items that were being read when it ended",
}

each = pytest.mark.parametrize("path", LOGS, ids=NAMES)


@each
def test_it_verifies(path: Path) -> None:
    assert verify_recording(read_recording(path.read_bytes())) == []


@each
def test_it_is_decided_alike(path: Path) -> None:
    recording = read_recording(path.read_bytes())
    found = replay(compile_definition(recording.definition), recording.steps())
    name = path.relative_to(FOLDER).with_suffix("").as_posix()
    assert (found is None) == (name not in DECIDED_OTHERWISE), found


@each
def test_it_is_shown(path: Path) -> None:
    recording = read_recording(path.read_bytes())
    steps = recording.steps()
    told = trace(steps, Places(recording.definition))
    assert told.execution.status == recording.facts.status
    assert (told.failed is not None) == (recording.facts.status == "FAILED")
    live = [visit for visit in visits(told.root) if visit.status.live]
    assert bool(live or told.held) == told.running
    if told.execution.run is None:  # what a Map Run waits for, beside its children, is no state's
        assert len(list(told.waits)) + len(told.held) == len(told.execution.pending)
    events = list(project(steps))
    assert [event.id for event in events] == list(range(1, len(events) + 1))


@each
def test_it_moves_into_a_store_and_out_again(path: Path, tmp_path: Path) -> None:
    recording = read_recording(path.read_bytes())

    async def there_and_back() -> Recording:
        async with open_records(str(tmp_path / "new.db")) as records:
            assert await records.put(recording) is True
            assert await records.put(recording) is False
            return await records.read(recording.facts.id)

    back = asyncio.run(there_and_back())
    assert fingerprint(back) == fingerprint(recording)
    again = read_recording(write_recording(back, RELEASE))
    assert replace(again, release=recording.release) == recording


def test_every_kind_of_event_and_signal_is_kept() -> None:
    steps = [
        step
        for path in LOGS
        if path.parent.name == RELEASE
        for step in read_recording(path.read_bytes()).steps()
    ]
    events = {type(event) for step in steps for event in step.events}
    assert [kind.__name__ for kind in EVENTS if kind not in events] == []
    signals = {type(step.signal) for step in steps}
    assert [kind.__name__ for kind in SIGNALS if kind not in signals] == []


def test_the_logs_of_this_release_are_all_there() -> None:
    """Made again they need not be the same, or a defect could not be mended; but none is missing."""
    made = {f"{RELEASE}/{name}" for name, _ in logs()}
    assert made - set(NAMES) == set(), "run tests/logs/make.py"
