"""How the children of a Map Run have ended: the records that its results are made of (language, section 2.7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from ...core.children import describe_end
from ...core.context import instant_text
from ...core.execution import SUCCEEDED, Execution
from ...core.runs import child_arn, child_name
from ...core.values import JSON

#: The state of an execution as its log tells it. Raises NotFound, LogError.
Read = Callable[[str], Awaitable[Execution]]

#: Children whose logs are read at once.
_TOGETHER = 32


async def ended_children(
    read: Read, run: str, machine: str, count: int, *, express: bool, renamed: Mapping[str, str]
) -> AsyncIterator[Execution]:
    """The first ``count`` children of a Map Run, in the order of their items; some are ``renamed``.

    Raises NotFound, LogError.
    """
    ids = [
        renamed.get(str(number)) or child_arn(machine, child_name(run, number), express=express)
        for number in range(count)
    ]
    for start in range(0, count, _TOGETHER):
        for state in await asyncio.gather(*map(read, ids[start : start + _TOGETHER])):
            yield state


def record_of(child: Execution) -> JSON:
    """A child with all that is told of it; input and output are texts of JSON."""
    record = dict(describe_end(child))
    for name in ("StartDate", "StopDate"):
        record[name] = instant_text(record[name])
    if child.status != SUCCEEDED:
        record["RedriveStatus"] = "REDRIVABLE_BY_MAP_RUN"
    return record


def transformed(child: Execution, transformation: str) -> Sequence[JSON]:
    """What a child adds to the results: NONE its record, COMPACT its output, FLATTEN the items of its output.

    A child that did not succeed has no output: its record stands for it.
    """
    if child.status != SUCCEEDED or transformation == "NONE":
        return (record_of(child),)
    assert child.output is not None
    output = child.output.value
    return output if transformation == "FLATTEN" and isinstance(output, list) else (output,)
