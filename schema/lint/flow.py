"""Data flow: paths that cannot exist after what came before, values of the wrong type, results nobody keeps.

The rules judge what inference noted; of what is unknown it notes nothing that they could judge.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator

from detent.query.functions import Fault, format_parts
from detent.query.intrinsic_syntax import Call, Constant, Text, parse_intrinsic
from detent.query.jsonpath.syntax import Step, spelled

from ..diagnostics import Pointer, Severity
from ..findings import closest, show
from ..inference.infer import Inference, Way
from ..inference.notes import Read
from ..inference.reading import Presence, read
from ..inference.shapes import Kind
from ..inference.stage import parsed_path
from ..outline import JSONPATH, State
from .rule import Found, Subject, rule

#: Members that are listed in a hint.
_LISTED = 6

#: How many states before a read are searched for what became of the value.
_BACK_MAX = 40


@rule("missing-path", Severity.ERROR, "A path reads something that cannot be there after what came before.")
def missing_path(subject: Subject) -> Iterator[Found]:
    for note in _misses(subject.inference):
        if note.path.root != "$$" and _thief(note, subject.inference, _has_lost) is None:
            yield Found(note.pointer, _says(note), _there_is(note), related=_sources(note, subject.inference))


@rule(
    "discarded-path",
    Severity.ERROR,
    "A path reads something that the result, or the output, of an earlier state has replaced.",
)
def discarded_path(subject: Subject) -> Iterator[Found]:
    for note in _misses(subject.inference):
        way = _thief(note, subject.inference, _has_lost)
        if way is None or way.source is None:
            continue
        thief = way.source
        where = next(
            (thief.at(name) for name in ("OutputPath", "ResultPath") if name in thief.value), thief.pointer
        )
        replaced = "ResultPath" not in thief.value and "OutputPath" not in thief.value
        hint = _keeping(thief) if replaced and "Output" not in thief.value else _there_is(note)
        yield Found(
            note.pointer,
            f"{_field(note)} reads {show(note.path.text)}, but the output of '{thief.name}' has replaced what held it",
            hint,
            related=((where, f"{thief.label} replaces the payload here"),),
        )


@rule(
    "maybe-missing-path",
    Severity.WARNING,
    "A path reads something that is missing on one of the ways to the state.",
)
def maybe_missing_path(subject: Subject) -> Iterator[Found]:
    for note in subject.inference.notes.reads:
        if note.reading.presence is not Presence.MAYBE or note.tested:
            continue
        related = tuple(
            (way.pointer, "this way does not bring it")
            for way in subject.inference.ways.get(note.state.pointer, ())
            if note.from_input and read(note.path, way.env.payload).presence is Presence.NEVER
        )
        yield Found(
            note.pointer,
            f"{_field(note)} reads {show(note.path.text)}, which is not there on every way to this state",
            "test it with IsPresent, or set it on every way",
            related=related,
        )


@rule(
    "missing-context-field",
    Severity.ERROR,
    "A path reads a field that the context object does not have in that place.",
)
def missing_context_field(subject: Subject) -> Iterator[Found]:
    for note in _misses(subject.inference):
        if note.path.root == "$$":
            hint = _there_is(note)
            if getattr(note.path.steps[0], "names", ()) == ("Map",):
                hint = "the item exists in ItemSelector only; pass what is needed on to the states inside"
            yield Found(note.pointer, _says(note), hint)


@rule("wrong-type", Severity.ERROR, "A field reads a value of a type that it cannot take.")
def wrong_type(subject: Subject) -> Iterator[Found]:
    for note in subject.inference.notes.reads:
        shape = note.reading.shape
        if note.wanted is None or note.reading.presence is Presence.NEVER or not shape.kinds:
            continue
        if not shape.may_be(note.wanted):
            yield Found(
                note.pointer,
                f"{_field(note)} needs {_kinds(note.wanted)}, but {show(note.text)} is {_kinds(shape.kinds)} here",
            )
    yield from _result_paths(subject)


def _result_paths(subject: Subject) -> Iterator[Found]:
    """A ResultPath leads through objects."""
    for state in subject.outline.states:
        entered = subject.inference.entered.get(state.pointer)
        path = parsed_path(state.value.get("ResultPath"))
        if entered is None or path is None or state.language != JSONPATH:
            continue
        for length in range(1, len(path.steps)):
            steps = path.steps[:length]
            prefix = type(path)(spelled(steps), "$", steps, path.columns[:length])
            found = read(prefix, entered.payload)
            taken = found.shape.kinds - {Kind.NULL}
            if found.presence is Presence.ALWAYS and taken and not taken & {Kind.OBJECT, Kind.ARRAY}:
                yield Found(
                    state.at("ResultPath"),
                    f"ResultPath {show(path.text)} of {state.label} leads through {_kinds(taken)}",
                    "a result can be put into objects only",
                )
                break


@rule(
    "wrong-argument",
    Severity.ERROR,
    "An intrinsic function is called with an argument that it does not take, and will fail.",
)
def wrong_argument(subject: Subject) -> Iterator[Found]:
    for note in subject.inference.notes.arguments:
        if note.shape.kinds and not note.shape.may_be(note.wanted):
            yield Found(
                note.pointer,
                f"{show(note.pointer[-1])} in {note.part.label} will fail: argument {note.position} of "
                f"{note.function} is {_kinds(note.shape.kinds)}, not {_kinds(note.wanted)}, "
                f"at column {note.column} of {show(note.text)}",
            )
    seen: set[Pointer] = set()
    for note in subject.inference.notes.arguments:
        if note.pointer not in seen:
            seen.add(note.pointer)
            for call in parse_intrinsic(note.text).calls():
                if problem := _literal_problem(call):
                    yield Found(
                        note.pointer,
                        f"{show(note.pointer[-1])} in {note.part.label} will fail: {problem}, "
                        f"at column {call.column} of {show(note.text)}",
                    )


_HASHES = ("MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512")


def _literal_problem(call: Call) -> str | None:
    """What is wrong with the arguments that are written in the call."""
    arguments = call.arguments
    if call.function == "States.Format" and arguments and isinstance(arguments[0], Text):
        try:
            slots = len(format_parts(arguments[0].source)) - 1
        except Fault as fault:
            return str(fault).rstrip(".")
        if slots != len(arguments) - 1:
            return f"the template has {slots} '{{}}' for {len(arguments) - 1} values"
    if call.function == "States.JsonMerge" and len(arguments) == 3 and arguments[2] == Constant(True):
        return "States.JsonMerge merges the first level only, its third argument is false"
    if call.function == "States.Hash" and len(arguments) == 2 and isinstance(arguments[1], Text):
        algorithm = arguments[1].value
        return None if algorithm in _HASHES else f"{show(algorithm)} is none of {', '.join(_HASHES)}"
    return None


@rule(
    "useless-result-selector",
    Severity.WARNING,
    "ResultSelector shapes a result that ResultPath: null throws away.",
)
def useless_result_selector(subject: Subject) -> Iterator[Found]:
    for state in subject.outline.states:
        fields = state.value
        discards = "ResultPath" in fields and fields["ResultPath"] is None
        if discards and "ResultSelector" in fields and "Assign" not in fields:
            yield Found(
                state.at("ResultSelector"),
                f"ResultSelector of {state.label} has no effect: its ResultPath is null",
                "give ResultPath a place for the result, or remove ResultSelector",
                on_key=True,
                related=((state.at("ResultPath"), "the result is thrown away here"),),
            )


@rule(
    "useless-parameters",
    Severity.WARNING,
    "A Pass state has Parameters beside a Result that takes their place.",
)
def useless_parameters(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Pass"):
        if "Parameters" in state.value and "Result" in state.value:
            yield Found(
                state.at("Parameters"),
                f"Parameters of {state.label} has no effect: Result takes its place",
                "remove one of the two",
                on_key=True,
                related=((state.at("Result"), "Result stands here"),),
            )


@rule(
    "perhaps-discarded-path",
    Severity.INFO,
    "A path that was there before a task replaced the whole payload with its result is read after it.",
)
def perhaps_discarded_path(subject: Subject) -> Iterator[Found]:
    inference = subject.inference
    for note in inference.notes.reads:
        doubtful = note.reading.presence is Presence.UNKNOWN and not note.tested
        if not note.from_input or not doubtful or not note.path.is_reference or not note.path.steps:
            continue
        way = _thief(note, inference, _may_have_lost)
        if way is not None and way.source is not None and not _is_before(note.state, way.source, inference):
            yield Found(
                note.pointer,
                f"{_field(note)} reads {show(note.path.text)}, which was there before '{way.source.name}' and "
                "is there now only if its result has it",
                _keeping(way.source),
                related=((way.source.pointer, f"the result of {way.source.label} replaces the payload"),),
            )


def _may_have_lost(state: State, before: Presence, after: Presence, reads: bool) -> bool:
    """A task that reads the value itself, and hands on nothing but a result that nobody knows."""
    keeping = {"ResultPath", "OutputPath", "ResultSelector", "Output"}
    replaces = state.type == "Task" and not keeping & state.value.keys()
    return replaces and reads and before is not Presence.NEVER and after is Presence.UNKNOWN


def _is_before(state: State, other: State, inference: Inference) -> bool:
    """Whether the execution may come from one state to another: then they stand in a loop."""
    seen = {other.pointer}
    waiting = [other.pointer]
    while waiting and len(seen) < _BACK_MAX:
        for way in inference.ways.get(waiting.pop(), ()):
            if way.source is not None and way.source.pointer not in seen:
                seen.add(way.source.pointer)
                waiting.append(way.source.pointer)
    return state.pointer in seen


@rule(
    "misspelled-path",
    Severity.WARNING,
    "A path reads a name that nothing writes and nothing else reads, and that looks like one that is written.",
)
def misspelled_path(subject: Subject) -> Iterator[Found]:
    notes = [note for note in subject.inference.notes.reads if note.from_input]
    times = Counter(name for note in notes for name in _names(note)[:1])
    for note in notes:
        names = _names(note)
        entered = subject.inference.entered.get(note.state.pointer)
        if note.reading.presence is not Presence.UNKNOWN or not names or entered is None:
            continue
        written = entered.payload.members
        if names[0] in written:
            continue
        similar = closest(names[0], [name for name in written if name not in times])
        if similar is None and times[names[0]] == 1:
            similar = closest(names[0], written, likeness=_ALIKE)
        if similar is not None:
            yield Found(
                note.pointer,
                f"{_field(note)} reads {show(note.path.text)}, which no state writes",
                f"did you mean '{similar}'? That one is written",
            )


#: Likeness of two names of which both are read, and one is a slip of the pen: no pair of names in published
#: definitions that are both meant comes near it.
_ALIKE = 0.85


def _names(note: Read) -> list[str]:
    """The names a path begins with."""
    found: list[str] = []
    for step in note.path.steps:
        names: tuple[str, ...] = getattr(step, "names", ())
        if len(names) != 1:
            break
        found.append(names[0])
    return found


# What is said about a read


def _misses(inference: Inference) -> Iterator[Read]:
    return (
        note for note in inference.notes.reads if note.reading.presence is Presence.NEVER and not note.tested
    )


#: Whether a state is the one that lost a value: the state, whether the value was there before and is there after
#: it, and whether the state reads it.
IsThief = Callable[[State, Presence, Presence, bool], bool]


def _has_lost(state: State, before: Presence, after: Presence, reads: bool) -> bool:
    had = before in (Presence.ALWAYS, Presence.MAYBE) or (before is Presence.UNKNOWN and reads)
    return had and after is Presence.NEVER


def _thief(note: Read, inference: Inference, is_thief: IsThief) -> Way | None:
    """The nearest state before this one that lost the value, and the way on which it is missing."""
    if not note.from_input or not note.path.steps:
        return None
    seen = {note.state.pointer}
    waiting = deque([note.state.pointer])
    while waiting and len(seen) < _BACK_MAX:
        for way in inference.ways.get(waiting.popleft(), ()):
            if way.source is None or way.source.pointer in seen:
                continue
            before = read(note.path, inference.entered[way.source.pointer].payload).presence
            after = read(note.path, way.env.payload).presence
            reads_it = any(
                other.from_input and _on_one_line(other.path.steps, note.path.steps)
                for other in inference.reads.get(way.source.pointer, ())
            )
            if is_thief(way.source, before, after, reads_it):
                return way
            seen.add(way.source.pointer)
            waiting.append(way.source.pointer)
    return None


def _on_one_line(one: tuple[Step, ...], other: tuple[Step, ...]) -> bool:
    """Whether one path leads through the other's place, or to it."""
    length = min(len(one), len(other))
    return length > 0 and one[:length] == other[:length]


def _sources(note: Read, inference: Inference) -> tuple[tuple[Pointer, str], ...]:
    """Where the payload of the state comes from, if it comes from one place."""
    ways = inference.ways.get(note.state.pointer, [])
    if not note.from_input or len(ways) != 1 or ways[0].source is None:
        return ()
    return ((ways[0].pointer, f"the payload comes from {ways[0].source.label}"),)


def _field(note: Read) -> str:
    return f"{show(note.pointer[-1])} in {note.part.label}"


def _says(note: Read) -> str:
    return f"{_field(note)} reads {show(note.path.text)}, which cannot be there"


def _there_is(note: Read) -> str | None:
    """What is there instead, at the last place that exists."""
    reading, steps = note.reading, note.path.steps
    place = _root(note) + spelled(steps[: reading.steps])[1:]
    if Kind.OBJECT not in reading.at.kinds:
        return f"{place} is {_kinds(reading.at.kinds)}" if reading.at.kinds else None
    if reading.at.elements is not None:
        return f"{place} has {len(reading.at.elements)} items"
    names = [name for name, member in reading.at.members.items() if not member.is_absent]
    wanted = getattr(steps[reading.steps], "names", ("",))[0]
    if similar := closest(wanted, names):
        return f"did you mean '{similar}'?"
    if not names:
        return f"{place} is an empty object"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{place} has {', '.join(names[:_LISTED])}{more}"


def _root(note: Read) -> str:
    """Where the path starts, in the words of the state's language."""
    if note.path.text.startswith("$states."):
        return ".".join(note.path.text.split(".")[:2])
    return note.path.root if note.path.root in ("$", "$$") else f"${note.path.root}"


def _keeping(state: State) -> str:
    """How a state that replaces the payload would keep it."""
    if state.language == JSONPATH:
        return f"give '{state.name}' a ResultPath to keep its input"
    return f"keep what is needed in Output or Assign of '{state.name}'"


_NAMES = {
    Kind.NULL: "null",
    Kind.BOOLEAN: "a boolean",
    Kind.NUMBER: "a number",
    Kind.STRING: "a text",
    Kind.OBJECT: "an object",
    Kind.ARRAY: "a list",
}


def _kinds(kinds: Iterable[Kind]) -> str:
    """Kinds in words: ``a number or a text``."""
    wanted = set(kinds)
    words = [word for kind, word in _NAMES.items() if kind in wanted]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
