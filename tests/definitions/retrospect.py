"""What must hold of every execution of a shipped workflow once it has run: sound, decided alike, told apart."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

from detent.audit import replay, verify_recording
from detent.compile import compile_definition
from detent.places import Places, Pointer
from detent.recording import Recording, read_recording, write_recording
from detent.runtime.compose import RELEASE, open_records
from detent.trace import trace
from detent.visits import visits


def stands_up(store: Path) -> None:
    """Check the one execution in a store: its log, its replay, its export, and that any change is seen."""
    recording = asyncio.run(_only(store))
    assert verify_recording(recording) == []
    assert replay(compile_definition(recording.definition), recording.steps()) is None
    assert verify_recording(read_recording(write_recording(recording, RELEASE))) == []
    places = Places(recording.definition)
    for scope, state in {
        (visit.scope, visit.state) for visit in visits(trace(recording.steps(), places).root)
    }:
        changed = _changed(recording.definition, places.pointer(scope, state))
        found = replay(compile_definition(changed), recording.steps())
        assert found is not None, f"nobody sees that {state} has changed"
        assert (found.scope, found.state) == (scope, state)


async def _only(store: Path) -> Recording:
    async with open_records(str(store)) as records:
        (found,) = await records.search()
        return await records.read(found.record.id)


def _changed(definition: Any, place: Pointer) -> Any:
    """The definition with one state of another type."""
    definition = copy.deepcopy(definition)
    *way, name = place
    states = definition
    for part in way:
        states = states[part]
    kind = "Succeed" if states[name]["Type"] == "Fail" else "Fail"
    states[name] = {"Type": kind}
    return definition
