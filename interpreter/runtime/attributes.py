"""The search attributes of executions: what their machines declare, what they have, and how one asks for them.

A machine's declaration goes with each execution that it starts (:class:`.catalogue_entries.Origin`): whoever ends
one knows it without looking, and a later declaration changes nothing about those that there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..core.execution import Execution
from ..search import SearchAttributeError, keys_at, read_condition
from ..store.base import ExecutionRecord, Match, NotFound, Store
from .catalogue_entries import Origin, place, read_machine

#: Documents that are read at once.
PAGE = 500

#: What most executions are found by.
NONE: Mapping[str, bytes] = {}

#: What those are found by that were ever redriven: no machine can declare such a name.
REDRIVEN = Match("$redriven", (b"1",))
_WAS_REDRIVEN: Mapping[str, bytes] = {REDRIVEN.name: REDRIVEN.among[0]}


def attributes_of(
    record: ExecutionRecord, state: Execution, *, begins: bool, redriven: bool = False
) -> Mapping[str, bytes]:
    """What an execution is found by from now on, where it begins, has ended, or was redriven."""
    declared = _declared_by(record, state, begins)
    return {**declared, **_WAS_REDRIVEN} if redriven else declared


def _declared_by(record: ExecutionRecord, state: Execution, begins: bool) -> Mapping[str, bytes]:
    # Most declare nothing; the children of a distributed Map, which is another machine, cannot.
    if record.origin is None or '"search"' not in record.origin or "/" in record.machine:
        return NONE
    origin = Origin.read(record.origin)
    declared = None if origin is None else origin.search
    if not declared:
        return NONE
    found: dict[str, bytes] = {}
    if begins and state.input is not None:
        found |= keys_at(declared, "input", state.input.value)
    if state.output is not None:
        found |= keys_at(declared, "output", state.output.value)
    return found


async def matches(
    store: Store, conditions: Iterable[str], *, machines: str, machine: str | None = None
) -> tuple[Match, ...]:
    """What is asked of executions, of those of one machine or of all whose ARNs are ``MACHINES:NAME``.

    Raises SearchAttributeError for what nobody declares, NotFound for a machine that is not there.
    """
    found = tuple(map(read_condition, conditions))
    if found:
        wanted = {match.name for match in found}
        declared = await _declared(store, machines, wanted) if machine is None else await _of(store, machine)
        for name in wanted - declared.keys():
            raise SearchAttributeError(
                f"{_whose(machine)} the search attribute {name!r}{_instead(declared)}: declare it with the machine, "
                f'"searchAttributes": {{"{name}": "$.input.PATH"}}, and it finds what is started from then on'
            )
    return found


def _whose(machine: str | None) -> str:
    return "no machine declares" if machine is None else f"{machine.rpartition(':')[2]} does not declare"


def _instead(declared: Mapping[str, str]) -> str:
    return f" (but {', '.join(sorted(declared))})" if declared else ""


async def _of(store: Store, machine: str) -> Mapping[str, str]:
    document = await store.document(*place(machine))
    if document is None:
        raise NotFound(f"there is no {machine}")
    return read_machine(document.body).search


async def _declared(store: Store, machines: str, wanted: set[str]) -> Mapping[str, str]:
    """What machines declare; those after the last attribute that is wanted are not looked at."""
    declared: dict[str, str] = {}
    after = 0
    while page := await store.documents(machines, after=after, limit=PAGE):
        for document in page:
            declared |= read_machine(document.body).search
        if wanted <= declared.keys():
            break
        after = page[-1].number
    return declared
