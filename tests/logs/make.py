"""Write the logs of this release: a few executions that go through every kind of event and signal.

    python tests/logs/make.py

writes ``tests/logs/RELEASE/NAME.json``. What is there already stays as it is: a log of a release is history. The
executions are driven by hand, with instants and seeds of their own, so that the same release writes the same logs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any

from detent.compile import compile_definition
from detent.core.children import describe_end
from detent.core.codec import Step, encode_segment
from detent.core.decide import advance
from detent.core.decide_runs import start_of_child
from detent.core.execution import Execution, Pending
from detent.core.map_runs import start_of_run
from detent.core.signals import (
    Amended,
    Began,
    ChildEnded,
    Failed,
    Fired,
    Paused,
    Quarantined,
    Redriven,
    Resumed,
    Signal,
    Signalled,
    Started,
    Stopped,
    Submitted,
    Succeeded,
    TimedOut,
    UpdatedRun,
    Withdrawn,
)
from detent.core.turn import NOTHING
from detent.core.values import Payload
from detent.recording import Facts, Part, Recording, write_recording
from detent.runtime.compose import RELEASE, Names

FOLDER = Path(__file__).parent
START = 1_790_000_000_000


class Play:
    """One execution driven by hand. Each act is a batch of its own."""

    def __init__(self, name: str, definition: Any, input: Any, first: Signal | None = None) -> None:
        self.definition = definition
        self.machine = compile_definition(definition)
        self.execution = Execution()
        self.now = START
        self.parts: list[Part] = []
        self.blobs: dict[str, bytes] = {}
        names = Names(name)
        arn, role = names.execution_arn("kept"), names.role_arn
        digest = self.machine.digest
        start = Started(arn, "kept", names.machine_arn, digest, "detent", role, Payload(input))
        self.send(first or start)

    def send(self, *signals: Signal, missing: Set[str] = NOTHING) -> None:
        """A batch of signals, 40 ms after the last one. Activities that are ``missing`` do not exist."""
        self.now += 40
        after = self.execution.seq
        steps = []
        for signal in signals:
            seed = f"seed-{after}-{len(steps)}"
            events = advance(self.machine, self.execution, signal, now=self.now, seed=seed, missing=missing)
            assert events, f"{signal} answers nothing"
            steps.append(Step(signal, self.now, seed, events))
        encoded = encode_segment(after, RELEASE, steps)
        self.parts.append(Part(after, self.execution.seq, encoded.control, encoded.payloads))
        self.blobs |= encoded.blobs

    def waits(self, state: str) -> int:
        """What is pending for a state; of several iterations the first."""
        frames = self.execution.frames
        return next(id for id, one in self.execution.pending.items() if frames[one.frame].state == state)

    def begin(self, state: str, worker: str | None = None) -> None:
        self.send(Began(self.waits(state), worker))

    def succeed(self, state: str, output: Any) -> None:
        self.send(Succeeded(self.waits(state), Payload(output)))

    def fail(self, state: str, error: str | None, cause: str | None = None) -> None:
        self.send(Failed(self.waits(state), error, cause))

    def fire(self, state: str) -> None:
        """Let time pass until what the state waits for is due."""
        pending = self.execution.pending[self.waits(state)]
        self.now = max(self.now, pending.due or 0)
        self.send(Fired(pending.id))

    def time_out(self, state: str, *, heartbeat: bool = False) -> None:
        pending = self.execution.pending[self.waits(state)]
        self.now = max(self.now, (pending.beat_due if heartbeat else pending.due) or 0)
        self.send(TimedOut(pending.id, heartbeat))

    def recording(self) -> Recording:
        state = self.execution
        facts = Facts(
            state.id,
            state.name,
            state.machine_name,
            state.digest,
            state.profile,
            state.started_at,
            None,
            state.status,
            state.ended_at,
            START,
        )
        return Recording(facts, self.definition, tuple(self.parts), self.blobs)


def task(next: str | None = None, **fields: Any) -> dict[str, Any]:
    way = {"End": True} if next is None else {"Next": next}
    return {"Type": "Task", "Resource": "task:work", **fields, **way}


def scope(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def values() -> Play:
    """Values of every kind on their way: large, long, strange; variables, a choice, a wait."""
    input = {"long": 12345678901234567890123, "half": 0.5, "one": 1.0, "text": "ü \ud800 \x00", "none": None}
    definition = scope(
        Keep={"Type": "Pass", "Assign": {"half.$": "$.half"}, "Next": "Make"},
        Make=task("Which", ResultPath="$.made"),
        Which={
            "Type": "Choice",
            "Choices": [{"Variable": "$.one", "NumericEquals": 1, "Next": "Hold"}],
            "Default": "Done",
        },
        Hold={"Type": "Wait", "Seconds": 5, "Next": "Later"},
        Later={"Type": "Wait", "Timestamp": "2026-10-01T00:00:00Z", "Next": "Done"},
        Done={"Type": "Succeed"},
    )
    play = Play("values", definition, input)
    play.begin("Make", "somebody")
    play.succeed("Make", {"large": "x" * 20_000, "small": [True, False, None]})
    play.fire("Hold")
    play.fire("Later")
    return play


def retries() -> Play:
    """A task tried again with jitter, without a heartbeat, out of time, then caught."""
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 3, "JitterStrategy": "FULL"}
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.problem", "Next": "Mend"}
    definition = scope(
        Try=task(TimeoutSeconds=60, HeartbeatSeconds=10, Retry=[retry], Catch=[catch]),
        Mend={"Type": "Pass", "End": True},
    )
    play = Play("retries", definition, {"number": 1})
    play.fail("Try", "Busy", "come back later")
    play.fire("Try")
    play.begin("Try")
    play.time_out("Try", heartbeat=True)
    play.fire("Try")
    play.begin("Try")
    play.time_out("Try", heartbeat=True)
    play.fire("Try")
    play.fail("Try", None)
    return play


def token() -> Play:
    """A task that was handed over and is answered by somebody who shows its token."""
    wait = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    message = {"QueueUrl": "queue", "MessageBody": {"token.$": "$$.Task.Token"}}
    play = Play("token", scope(Ask=task(Resource=wait, Parameters=message)), {})
    play.send(Submitted(play.waits("Ask"), Payload({"MessageId": "1"})))
    play.succeed("Ask", {"approved": True})
    return play


def activity() -> Play:
    """A task of an activity that no worker takes in time; tried again, one takes it."""
    review = "arn:aws:states:us-east-1:123456789012:activity:review"
    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 2}]
    play = Play("activity", scope(Review=task(Resource=review, TimeoutSeconds=60, Retry=retry)), {"page": 1})
    play.time_out("Review")
    play.fire("Review")
    play.begin("Review", "somebody")
    play.succeed("Review", {"page": 1, "fine": True})
    return play


def missing_activity() -> Play:
    """An activity that is gone when its task is tried again."""
    review = "arn:aws:states:us-east-1:123456789012:activity:review"
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2}]
    play = Play("missing-activity", scope(Review=task(Resource=review, Retry=retry)), {"page": 1})
    play.fail("Review", "Busy")
    retrying = play.execution.pending[play.waits("Review")]
    play.now = retrying.due or 0
    play.send(Fired(retrying.id), missing={review})
    return play


def child() -> Play:
    """A task that starts an execution and waits for its end."""
    start = "arn:aws:states:::states:startExecution.sync:2"
    child = Play("held", scope(Hold={"Type": "Wait", "Seconds": 99, "End": True}), {"n": 1})
    child.fire("Hold")
    ended = child.execution
    wanted = {"StateMachineArn": ended.machine_name, "Name": ended.name, "Input.$": "$"}
    play = Play("child", scope(Start=task(Resource=start, Parameters=wanted)), {"n": 1})
    play.send(Submitted(play.waits("Start"), Payload({"ExecutionArn": ended.id, "StartDate": START})))
    play.send(ChildEnded(play.waits("Start"), Payload(describe_end(ended))))
    return play


def side_by_side() -> Play:
    """Branches and iterations that all succeed, two at a time; no items at all."""
    body = scope(Each=task())
    definition = scope(
        Both={
            "Type": "Parallel",
            "Branches": [
                scope(Items={"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": body, "End": True}),
                scope(Beside=task()),
            ],
            "Next": "None",
        },
        **{"None": {"Type": "Map", "ItemsPath": "$[1]", "ItemProcessor": body, "End": True}},
    )
    play = Play("side-by-side", definition, [1, 2, 3])
    play.send(*(Began(id) for id in list(play.execution.pending)))
    play.succeed("Each", "a")
    play.succeed("Each", "b")
    play.succeed("Beside", [])
    play.succeed("Each", "c")
    return play


def torn_down() -> Play:
    """An iteration fails inside a branch: it is tried again, then caught, and what ran beside it is aborted."""
    body = scope(Each=task())
    items = {
        "Type": "Map",
        "ItemProcessor": body,
        "Retry": [{"ErrorEquals": ["Twice"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        "End": True,
    }
    both = {
        "Type": "Parallel",
        "Branches": [scope(Items=items), scope(Beside={"Type": "Wait", "Seconds": 99, "End": True})],
        "Catch": [{"ErrorEquals": ["Twice"], "Next": "Mend"}],
        "End": True,
    }
    play = Play("torn-down", scope(Both=both, Mend={"Type": "Pass", "End": True}), [1, 2])
    play.fail("Each", "Twice", "first")
    play.fire("Items")
    play.fail("Each", "Twice", "second")
    return play


def uncaught() -> Play:
    """An iteration fails inside a branch and nobody handles it: everything is halted where it stands."""
    both = {
        "Type": "Parallel",
        "Branches": [
            scope(Items={"Type": "Map", "ItemProcessor": scope(Each=task()), "End": True}),
            scope(Beside=task()),
        ],
        "End": True,
    }
    play = Play("uncaught", scope(Both=both), [1, 2])
    play.fail("Each", "Boom")
    return play


def expression() -> Play:
    """An expression that cannot be evaluated."""
    bad = {"Type": "Pass", "Output": "{% $sum($states.input) %}", "End": True}
    return Play("expression", {"QueryLanguage": "JSONata", **scope(Bad=bad)}, ["a"])


def loop() -> Play:
    """More states than one turn may enter."""
    count = {"n.$": "States.MathAdd($.n, 1)"}
    again = {"Variable": "$.n", "NumericLessThan": 300, "Next": "Count"}
    definition = scope(
        Count={"Type": "Pass", "Parameters": count, "Next": "Again"},
        Again={"Type": "Choice", "Choices": [again], "Default": "Done"},
        Done={"Type": "Fail", "Error": "Enough"},
    )
    play = Play("loop", definition, {"n": 0})
    play.send(Fired(next(iter(play.execution.pending))))
    return play


def stopped() -> Play:
    """Stopped by somebody, with a task at work and a branch that waits."""
    branches = [scope(One=task()), scope(Two={"Type": "Wait", "Seconds": 99, "End": True})]
    play = Play("stopped", scope(Both={"Type": "Parallel", "Branches": branches, "End": True}), None)
    play.begin("One")
    play.send(Stopped("Why", "because"))
    return play


def quarantined() -> Play:
    """Those who worked on it died too often."""
    play = Play("quarantined", scope(One=task()), None)
    play.begin("One")
    play.send(Quarantined("States.Runtime", "Quarantined: 5 times in a row"))
    return play


def out_of_time() -> Play:
    """The machine's own time is over."""
    play = Play("out-of-time", {"TimeoutSeconds": 30, **scope(Slow=task())}, {})
    play.now += 30_000
    play.send(TimedOut(None))
    return play


def redriven() -> Play:
    """Failed inside an iteration, redriven, stopped, redriven once more, and then all is well."""
    both = {
        "Type": "Parallel",
        "Branches": [
            scope(
                Items={"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": scope(Each=task()), "End": True}
            ),
            scope(Beside=task("Hold"), Hold={"Type": "Wait", "Seconds": 99, "End": True}),
        ],
        "End": True,
    }
    play = Play("redriven", scope(Both=both), [1, 2, 3])
    play.succeed("Each", "one")
    play.fail("Each", "Boom")
    play.send(Redriven("again"))
    play.succeed("Beside", 1)
    play.succeed("Each", "two")
    play.send(Stopped("Why"))
    play.send(Redriven())
    play.succeed("Each", "three")
    play.fire("Hold")
    return play


def distributed(**fields: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    body = {"ProcessorConfig": config, **scope(Each=task())}
    return scope(Items={"Type": "Map", "ItemProcessor": body, "Label": "items", "End": True, **fields})


def map_run() -> Play:
    """A Map Run fails, is redriven with the execution that waits for it, and succeeds."""
    play = Play("map-run", distributed(), [1, 2])
    play.send(ChildEnded(play.waits("Items"), Payload({"Status": "FAILED", "Error": "Boom"})))
    play.send(Redriven())
    ended = {"Status": "SUCCEEDED", "RedriveCount": 1, "Output": ["one", "two"]}
    play.send(ChildEnded(play.waits("Items"), Payload(ended)))
    return play


def _run_of(definition: dict[str, Any], input: Any) -> Play:
    """The Map Run that an execution starts."""
    waiting = Play("waiting", definition, input).execution
    (pending,) = waiting.pending.values()
    return Play("run", definition, None, start_of_run(waiting, pending, "items"))


def _pending(play: Play, kind: str) -> Pending:
    return next(pending for pending in play.execution.pending.values() if pending.kind == kind)


def _end_child(play: Play, status: str = "SUCCEEDED") -> None:
    """Let the first child that runs end."""
    child = _pending(play, "child")
    told = {"Status": status, "RedriveCount": child.redrives}
    play.send(ChildEnded(child.id, Payload(told)))


def items_read() -> Play:
    """Items come from a file; one fails, the run is closed and redriven, its limits are changed."""
    call = "arn:aws:states:::s3:getObject"
    reader = {"Resource": call, "Parameters": {"Bucket": "b", "Key": "k"}, "ReaderConfig": {"MaxItems": 9}}
    play = _run_of(distributed(ItemReader=reader, MaxConcurrency=2), {})
    page = {"items": ["a", "b", "c"], "cursor": {"identity": "1"}, "source": "S3://b/k"}
    play.send(Succeeded(_pending(play, "task").id, Payload(page)))
    _end_child(play, "FAILED")
    play.send(Redriven())
    _end_child(play)
    _end_child(play)
    play.send(UpdatedRun(concurrency=1, tolerated_count=5, tolerated_percentage=50.0))
    last = {"items": [], "cursor": None, "source": "S3://b/k"}
    play.send(Succeeded(_pending(play, "task").id, Payload(last)))
    _end_child(play)
    play.send(Failed(_pending(play, "task").id, "States.ResultWriterFailed", "no room"))
    play.send(Redriven())
    gathered = {"output": ["a", "b", "c"], "written": 0}
    play.send(Succeeded(_pending(play, "task").id, Payload(gathered)))
    return play


def many_items() -> Play:
    """More children than one turn may open, withdrawn."""
    play = _run_of(distributed(), list(range(502)))
    play.send(Fired(_pending(play, "more").id))
    play.send(Withdrawn(0))
    return play


def child_of_run() -> Play:
    """One item of a Map Run, as an execution of its own."""
    run = _run_of(distributed(), ["item"])
    first = start_of_child(run.execution, _pending(run, "child"), "/States/Items/ItemProcessor")
    play = Play("item", run.definition, None, first)
    play.succeed("Each", "done")
    return play


def running() -> Play:
    """Not ended: a task at work, a retry and a timer ahead."""
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60}]
    branches = [
        scope(One=task(HeartbeatSeconds=20, TimeoutSeconds=90)),
        scope(Two=task(Retry=retry)),
        scope(Three={"Type": "Wait", "Seconds": 3600, "End": True}),
    ]
    play = Play("running", scope(Both={"Type": "Parallel", "Branches": branches, "End": True}), {})
    play.begin("One", "somebody")
    play.fail("Two", "Busy")
    return play


def signals() -> Play:
    """Named signals: one too early, one awaited, one that nobody takes; another task runs out of time for its own."""
    late = [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "Hold"}]
    definition = scope(
        Hold={"Type": "Wait", "Seconds": 5, "Next": "Early"},
        Early=task("Awaited", Resource="signal:early", ResultPath="$.early"),
        Awaited=task("Never", Resource="signal:awaited", ResultPath="$.awaited"),
        Never=task(Resource="signal:never", TimeoutSeconds=60, Catch=late),
    )
    play = Play("signals", definition, {"n": 1})
    play.send(Signalled("k1", "early", Payload({"by": "Ann"})), Signalled("k2", "early", Payload(None)))
    play.fire("Hold")
    play.send(Signalled("k3", "awaited", Payload([1, 2])))
    play.time_out("Never")
    return play


def paused() -> Play:
    """Paused and resumed: an answer, a timer and a retry come meanwhile; values are given for a task and a retry."""
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2}]
    branches = [
        scope(One=task("Two"), Two=task()),
        scope(Three={"Type": "Wait", "Seconds": 9, "Next": "Four"}, Four={"Type": "Pass", "End": True}),
        scope(Five=task(Retry=retry)),
        scope(Six=task(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3600}])),
    ]
    play = Play("paused", scope(Both={"Type": "Parallel", "Branches": branches, "End": True}), {})
    play.send(Paused("p1"))
    play.succeed("One", "answered")
    play.fire("Three")
    play.fail("Five", "Busy")
    play.fail("Six", "Busy")
    play.now += 10_000
    play.send(Amended(play.waits("Six"), Payload("given")), Resumed("r1"))
    play.send(Paused("p2"))
    play.send(Amended(play.waits("Two"), Payload("given, too")))
    play.succeed("Five", "at last")
    return play


def still_paused() -> Play:
    """Not ended: paused, with a state held back and a signal kept."""
    play = Play("still-paused", scope(One=task("Two"), Two=task(Resource="signal:go")), {})
    play.send(Paused("p1"))
    play.succeed("One", 1)
    play.send(Signalled("k1", "go", Payload({"kept": True})))
    return play


PLAYS: tuple[Callable[[], Play], ...] = (
    values,
    retries,
    token,
    activity,
    missing_activity,
    child,
    side_by_side,
    torn_down,
    uncaught,
    expression,
    loop,
    stopped,
    quarantined,
    out_of_time,
    redriven,
    map_run,
    items_read,
    many_items,
    child_of_run,
    running,
    signals,
    paused,
    still_paused,
)


def logs() -> Iterator[tuple[str, Recording]]:
    """The recordings of this release, by name."""
    for make in PLAYS:
        yield make.__name__.replace("_", "-"), make().recording()


def main() -> None:
    folder = FOLDER / RELEASE
    folder.mkdir(exist_ok=True)
    for name, recording in logs():
        path = folder / f"{name}.json"
        if not path.exists():
            path.write_bytes(write_recording(recording, RELEASE))


if __name__ == "__main__":
    main()
