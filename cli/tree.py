"""What an execution went through, for people: the head of ``detent show`` and its tree of states with their values.

Pure: a trace, its places, an instant and a width in, lines out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len
from rich.text import Text

from detent.core.execution import Pending
from detent.core.resources import signal_name
from detent.core.values import JSON, Payload
from detent.visits import Attempt, Path, Status, Trace, Visit

from .marks import Marks
from .paper import BAD, condition, status_text
from .reading import Where
from .timeline import NAME_MAX, PATHS_SHOWN, VISITS_SHOWN, mark, path_name, paths_name, selected
from .words import broken, clock, day_and_time, printable, seconds, short, why

#: Columns of the labels in the head, and of those below a state.
LABEL = 12
FIELD = 6


@dataclass(frozen=True, slots=True)
class Tree:
    """How to tell it: signs, width, the instant that is now, where states stand, and whether nothing is cut."""

    marks: Marks
    width: int
    now: int
    where: Where
    full: bool = False

    # The head

    def head(self, trace: Trace, release: str | None, at_work: bool | None = None) -> Iterator[Text]:
        """Name, status and time; input and output; why it failed and where.

        ``at_work`` is whether a living process works on it, None where nobody can know.
        """
        execution = trace.execution
        status = condition(execution.status, execution.paused, at_work)
        ended = execution.ended_at
        took = (self.now if ended is None else ended) - execution.started_at
        machine = execution.machine_name.rpartition(":")[2]
        left = Text.assemble((printable(machine), "bold"), f"  {printable(execution.name)}")
        right = Text.assemble(status_text(status), f"  {seconds(took)}")
        yield self._both(left, right)
        yield Text()
        until = "" if ended is None else f", ended {clock(ended, execution.started_at)}"
        yield self._label("started", day_and_time(execution.started_at) + until)
        if execution.redriven_at is not None:
            times = "once" if execution.redrive_count == 1 else f"{execution.redrive_count} times"
            yield self._label("redriven", f"{times}, last {day_and_time(execution.redriven_at)}")
        if execution.ends_at is not None and trace.running:
            yield self._label(
                "timeout", f"{day_and_time(execution.ends_at)}, {self._left(execution.ends_at)}"
            )
        if trace.running and at_work is not None and (execution.paused or not at_work):
            nobody = "" if at_work else "no process works on it; "
            yield self._label("go on", f"{nobody}detent resume {printable(execution.name)}")
        if self.full:
            yield self._label("arn", execution.id)
            yield self._label("definition", execution.digest)
        if release is not None:
            yield self._label("exported", f"by detent {printable(release)}")
        yield from self._head_value("input", execution.input)
        yield from self._head_value("output", execution.output)
        for name, kept in execution.signals.items():
            for payload in kept:
                yield from self._value(f"{'signal':{LABEL}}{printable(name)}: ", payload.value)
        if execution.error is not None or execution.cause is not None:
            for number, line in enumerate(wrap(why(execution.error, execution.cause), self.width - LABEL)):
                yield self._label("" if number else "error", line, BAD)
        failed = trace.failed
        if failed is not None:
            place = self.where.of(failed.scope, failed.state)
            yield self._label("", f"in {printable(failed.state)} at {printable(place)}")
            if failed.location:
                yield self._label("", f"in its {printable(failed.location)}")

    def _head_value(self, label: str, payload: Payload | None) -> Iterator[Text]:
        if payload is not None:
            yield from self._value(f"{label:{LABEL}}", payload.value)

    def _label(self, label: str, text: str, style: str = "") -> Text:
        return Text.assemble((f"{label:{LABEL}}", "dim"), (text, style))

    def waits(self, trace: Trace) -> Iterator[Text]:
        """What the execution waits for now, a line each."""
        paused = trace.execution.paused
        waiting = [
            (visit.state, self._pending(visit, visit.pending, paused))
            for visit in trace.waits
            if visit.pending
        ]
        waiting += [(held.state, self._held(held.pending, paused)) for held in trace.held]
        shown = waiting if self.full else waiting[:PATHS_SHOWN]
        column = min(NAME_MAX, max((cell_len(printable(name)) for name, _ in shown), default=0)) + 2
        for name, text in shown:
            state = Text(f"  {printable(name)}", "bold")
            state.append(" " * max(2, column + 2 - cell_len(state.plain)))
            said = wrap(text, max(30, self.width - len(state.plain)))
            for number, line in enumerate(said):
                before = Text(" " * len(state.plain)) if number else state
                yield Text.assemble(before, (line, "yellow"))
        if len(waiting) > len(shown):
            yield Text(f"  {self.marks.more} {len(waiting) - len(shown)} more", "dim")

    def _pending(self, visit: Visit, pending: Pending, paused: bool) -> str:
        if pending.child is not None:
            what = "Map Run" if ":mapRun:" in pending.child else "execution"
            return f"the {what} {printable(pending.child)}, for {seconds(self.now - visit.entered_at)} now"
        if pending.kind == "task":
            return self._task(visit, pending)
        if pending.due is None:
            return "an answer"
        if pending.kind == "timer":
            return f"until {clock(pending.due, self.now)}, {self._left(pending.due)}"
        held = ", and for the pause to end" if paused else ""
        number = len(visit.attempts) + 1
        return f"attempt {number} at {clock(pending.due, self.now)}, {self._left(pending.due)}{held}"

    def _held(self, pending: Pending, paused: bool) -> str:
        if paused:
            return "to be entered when the execution is resumed"
        return f"its next turn at {clock(pending.due or 0, self.now)}, {self._left(pending.due or 0)}"

    def _task(self, visit: Visit, pending: Pending) -> str:
        name = signal_name(pending.resource or "")
        if name is not None:
            within = "" if pending.due is None else f", timeout {self._within(pending.due)}"
            return f"the signal {printable(name)}, for {seconds(self.now - visit.entered_at)} now{within}"
        answer = "a task token for " if pending.mode == "token" else ""
        parts = [f"{answer}{printable(pending.resource or '')}"]
        if pending.attempt > 1:
            parts.append(f"attempt {pending.attempt}")
        began = visit.attempts[-1].began_at if visit.attempts else None
        parts.append("not begun" if began is None else f"at work for {seconds(self.now - began)}")
        if pending.due is not None:
            parts.append(f"timeout {self._within(pending.due)}")
        if pending.beat_due is not None:
            parts.append(f"heartbeat {self._within(pending.beat_due)}")
        return ", ".join(parts)

    def _left(self, instant: int) -> str:
        left = instant - self.now
        return f"{seconds(left)} left" if left >= 0 else f"overdue by {seconds(-left)}"

    def _within(self, instant: int) -> str:
        left = instant - self.now
        return f"in {seconds(left)}" if left >= 0 else f"overdue by {seconds(-left)}"

    # The states

    def states(self, trace: Trace) -> Iterator[Text]:
        """Every state with its values, what runs inside it below."""
        if trace.root is not None:
            yield from self._path(trace.root, "", trace.execution.started_at)

    def _path(self, path: Path, prefix: str, started: int) -> Iterator[Text]:
        before: Payload | None = None
        for visit in selected(path.visits, 0 if self.full else VISITS_SHOWN):
            if isinstance(visit, int):
                yield Text(f"{prefix}{self.marks.more} {visit} more states", "dim")
                continue
            yield from self._visit(visit, prefix, started, before)
            before = visit.output

    def _visit(self, visit: Visit, prefix: str, started: int, before: Payload | None) -> Iterator[Text]:
        yield self._title(visit, prefix, started)
        below = Text(f"{prefix}  ", "dim")
        yield from (self._cut(Text.assemble(below, line)) for line in self._story(visit))
        forks = [attempt for attempt in visit.attempts if attempt.paths]
        shown = below.plain
        if self.full or before is None or visit.input != before:
            yield from self._value(f"{shown}{'in':{FIELD}}", visit.input.value)
        if self.full:
            yield from self._task_values(visit, shown)
        for attempt in forks if self.full else forks[-1:]:
            yield from self._fork(visit, attempt, shown, started)
        yield from self._results(visit, shown)

    def _title(self, visit: Visit, prefix: str, started: int) -> Text:
        took = (self.now if visit.left_at is None else visit.left_at) - visit.entered_at
        left = Text.assemble((prefix, "dim"), mark(self.marks, visit.status), " ")
        left.append(printable(visit.state), "bold")
        left.append(f"  {self._what(visit)}", "dim")
        right = f"+{seconds(visit.entered_at - started)}  {seconds(took):>9}"
        return self._both(left, Text(right, "dim"))

    def _what(self, visit: Visit) -> str:
        attempt = visit.attempts[-1] if visit.attempts else None
        if attempt is None:
            return visit.kind
        if attempt.run is not None:
            return f"Map Run {printable(attempt.run.rpartition(':')[2])}"
        if visit.kind == "Map":
            many = f"{attempt.width} item{'' if attempt.width == 1 else 's'}"
            limited = 0 < attempt.at_once < attempt.width
            at_once = f", {attempt.at_once} at a time" if limited else ""
            return f"Map of {many}{at_once}"
        if visit.kind == "Parallel":
            return f"Parallel, {attempt.width} branches"
        return printable(attempt.resource or visit.kind)

    def _story(self, visit: Visit) -> Iterator[Text]:
        """What happened beside the values: attempts, waiting, the way on, an error that was caught."""
        if len(visit.attempts) > 1 or (visit.attempts and visit.attempts[0].retry_at is not None):
            for attempt in visit.attempts:
                yield self._attempt(attempt)
        if visit.due is not None:
            until = clock(visit.due, visit.entered_at)
            if visit.left_at is None:
                yield Text(f"waits until {until}, {self._left(visit.due)}", "dim")
            else:
                would = "" if visit.status is Status.SUCCEEDED else "would have "
                yield Text(f"{would}waited until {until}", "dim")
        if visit.amended:
            yield Text("its result was given by whoever resumed it", "yellow")
        if visit.kind == "Choice" and visit.next:
            yield Text(f"{self.marks.arrow} {printable(visit.next)}", "dim")
        if visit.status is Status.CAUGHT:
            said = why(visit.error, visit.cause) if visit.error else "an error"
            yield Text(f"{self.marks.arrow} {printable(visit.next or '')}, for {said}", "magenta")
        below = visit.attempts[-1].paths if visit.attempts else []
        if visit.status is Status.FAILED and not any(path.status is Status.FAILED for path in below):
            yield Text(f"failed with {why(visit.error, visit.cause)}", "red")

    def _attempt(self, attempt: Attempt) -> Text:
        took = seconds((self.now if attempt.ended_at is None else attempt.ended_at) - attempt.started_at)
        line = Text.assemble(
            (f"attempt {attempt.number}  {took:>9}  ", "dim"), mark(self.marks, attempt.status)
        )
        if attempt.retry_at is not None and attempt.ended_at is not None:
            line.append(f" wait {seconds(attempt.retry_at - attempt.ended_at)}", "yellow")
        if attempt.status is Status.FAILED:
            silent = "no heartbeat in time" if attempt.timed_out == "heartbeat" else None
            line.append(f" {why(attempt.error, attempt.cause or silent)}", "red")
        return line

    def _task_values(self, visit: Visit, prefix: str) -> Iterator[Text]:
        """What a task was given and what it answered, where that differs from the state's input and output."""
        attempt = visit.attempts[-1] if visit.attempts else None
        if attempt is None:
            return
        if attempt.arguments is not None and attempt.arguments != visit.input:
            yield from self._value(f"{prefix}{'given':{FIELD}}", attempt.arguments.value)
        if attempt.output is not None and attempt.output != visit.output:
            yield from self._value(f"{prefix}{'got':{FIELD}}", attempt.output.value)

    def _results(self, visit: Visit, prefix: str) -> Iterator[Text]:
        for name, payload in visit.assigned.items():
            yield from self._value(f"{prefix}set ${printable(name)} = ", payload.value)
        if visit.output is not None:
            if visit.output == visit.input and not self.full:
                yield Text(f"{prefix}{'out':{FIELD}}as it came in", "dim")
            else:
                yield from self._value(f"{prefix}{'out':{FIELD}}", visit.output.value)

    def _fork(self, visit: Visit, attempt: Attempt, prefix: str, started: int) -> Iterator[Text]:
        for path in selected(attempt.paths, 0 if self.full else PATHS_SHOWN):
            if isinstance(path, int):
                yield Text(
                    f"{prefix}{self.marks.tee} {self.marks.more} {path} more {paths_name(visit)}", "dim"
                )
                continue
            last = path is attempt.paths[-1]
            tie = self.marks.elbow if last else self.marks.tee
            took = (self.now if path.ended_at is None else path.ended_at) - path.started_at
            left = Text.assemble((f"{prefix}{tie} ", "dim"), mark(self.marks, path.status), " ")
            left.append(path_name(visit, path))
            right = f"+{seconds(path.started_at - started)}  {seconds(took):>9}"
            yield self._both(left, Text(right, "dim"))
            yield from self._path(path, f"{prefix}{' ' if last else self.marks.pipe} ", started)

    # Lines

    def _value(self, before: str, value: JSON) -> Iterator[Text]:
        """A value behind its label: on one line, or with ``full`` on as many as it needs."""
        width = self.width - cell_len(before)
        if not self.full:
            yield self._cut(Text.assemble((before, "dim"), short(value, width)))
            return
        first, *rest = broken(value)
        yield Text.assemble((before, "dim"), first)
        for line in rest:
            yield Text.assemble((before[: len(before) - FIELD] + " " * FIELD, "dim"), line)

    def _cut(self, text: Text) -> Text:
        if not self.full and cell_len(text.plain) > self.width:
            text.truncate(self.width, overflow="ellipsis")
        return text

    def _both(self, left: Text, right: Text) -> Text:
        room = self.width - cell_len(right.plain) - 2
        if cell_len(left.plain) > room:
            left.truncate(max(room, 0), overflow="ellipsis")
        gap = self.width - cell_len(left.plain) - cell_len(right.plain)
        return Text.assemble(left, " " * max(1, gap), right)
