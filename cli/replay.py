"""``detent replay``: would the same be decided again, by this release, or by another definition?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from .exits import Exit, Refusal
from .judging import chosen, judge, verdict
from .options import SETTINGS, jsonpath_option, variables
from .outcome import OutputFormat
from .reading import Where, label, output_option, store_option

if TYPE_CHECKING:
    from detent.audit import Divergence
    from detent.core.events import Event
    from detent.core.machine import Machine
    from detent.core.values import JSON
    from detent.recording import Recording
    from detent.schema.document import Document


@click.command(context_settings=SETTINGS)
@chosen
@click.option(
    "--definition",
    metavar="FILE",
    help="Decide with this definition instead of the recorded one. If it is the same one, its file is where "
    "differences are placed.",
)
@variables
@jsonpath_option
@output_option
@store_option
def replay(
    executions: tuple[str, ...],
    machine: str | None,
    every: bool,
    definition: str | None,
    variables: Mapping[str, str],
    paths: Literal["detent", "jsonpath-ng"],
    store: str | None,
    output: OutputFormat,
) -> int:
    """Decide each EXECUTION, or the FILE of an export, again from its recorded signals, and tell the first difference.

    Nothing is run: what tasks answered is in the log. With --definition it says which recorded executions would
    take another path. The exit code is 0 without a difference, 1 with one, 2 if there is no such execution.
    """
    from detent.core.errors import DetentError

    from .definition import runnable
    from .exits import say

    judge_ = _Judge(None if definition is None else runnable(definition, variables), paths)
    said: list[JSON] = []

    def one(recording: Recording) -> None:
        try:
            found = judge_.judge(recording)
        except DetentError as error:
            if len(executions) == 1:
                raise
            # One that cannot be decided at all does not keep the others from being looked at.
            said.append({"execution": recording.facts.id, "same": False, "problem": str(error)})
            say(f"{label(recording.facts.id)}: {error}")
            return
        said.append(found.as_json())
        if output == "text":
            click.echo("\n".join(found.lines()))

    count = judge(executions, machine, every, store, one)
    wanting = sum(not each["same"] for each in said)
    if output == "json":
        from .paper import print_json

        print_json({"executions": said})
        return int(wanting > 0)
    return verdict(count, wanting, lambda n: f"{n} would take another path" if n else "no difference")


class _Judge:
    """Replays recordings with the definition given, or each with its own."""

    def __init__(self, document: Document | None, paths: Literal["detent", "jsonpath-ng"]) -> None:
        self._document = document
        self._paths = paths
        self._machines: dict[str, Machine] = {}

    def judge(self, recording: Recording) -> _Finding:
        from detent.audit import replay as replay_steps
        from detent.places import Places

        definition = recording.definition if self._document is None else self._document.value
        machine = self._machine(recording.facts.digest if self._document is None else "", definition)
        steps = recording.steps()
        other = machine.digest != recording.facts.digest
        return _Finding(
            recording, other, replay_steps(machine, steps), Where(Places(definition), self._document)
        )

    def _machine(self, key: str, definition: JSON) -> Machine:
        from detent.runtime.compose import compile_machine

        if key not in self._machines:
            try:
                self._machines[key] = compile_machine(definition, paths=self._paths)
            except (KeyError, TypeError, AttributeError) as error:
                # Only a file that somebody made by hand holds a definition that was never validated.
                raise Refusal("the recorded definition is not sound", exit=Exit.INVALID) from error
        return self._machines[key]


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the replay of one recording led to; ``other`` if not with the definition it ran with."""

    recording: Recording
    other: bool
    difference: Divergence | None
    where: Where

    def as_json(self) -> dict[str, JSON]:
        from .events import event_as_json

        said: dict[str, JSON] = {
            "execution": self.recording.facts.id,
            "definition": "another" if self.other else "recorded",
            "same": self.difference is None,
        }
        found = self.difference
        if found is not None:
            said["difference"] = {
                "event": found.event,
                "state": found.state,
                "place": self.where.of(found.scope, found.state),
                "recorded": None if found.recorded is None else event_as_json(found.recorded),
                "decided": None if found.decided is None else event_as_json(found.decided),
                "problem": found.problem,
            }
        return said

    def lines(self) -> Iterator[str]:
        from .words import printable

        name, found = label(self.recording.facts.id), self.difference
        with_other = " with this definition" if self.other else ""
        if found is None:
            yield f"{name}: {self.recording.parts[-1].last:,} events, decided alike{with_other}"
            return
        what = "would take another path" if self.other else "would be decided otherwise"
        yield f"{name}: {what}, from event {found.event:,} on"
        state = "" if found.state is None else f"{printable(found.state)}, "
        yield f"  at        {state}{printable(self.where.of(found.scope, found.state))}"
        yield f"  recorded  {_told(found.recorded, found.decided)}"
        yield f"  now       {found.problem or _told(found.decided, found.recorded)}"


def _told(event: Event | None, other: Event | None) -> str:
    """An event, by what sets it apart from the other one."""
    from .events import differing, name_of, told

    if event is None:
        return "nothing more"
    only = differing(event, other) if other is not None and type(other) is type(event) else None
    return f"{name_of(event)}  {told(event, only=only)}"
