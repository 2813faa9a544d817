"""A recording: everything that was recorded of one execution, and the portable file it travels in.

A recording holds the definition, what is known of the execution beside its log, and the log with all values.
Whoever has one can show, verify and replay the execution, without a store. Read from a store or from a file it
is the same. The file is JSON for people to read, with a version of its own and a digest that shows damage;
the log in it keeps the log's own format.

Pure: texts in and out. Opening files and stores is the business of others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import Any

from .compile import digest_of
from .core.codec import LogError, Step, decode_log, fill_payloads, payloads_of
from .core.errors import DetentError
from .core.values import JSON, Payload, decode, encode

#: What the file says it is, and the version of its layout.
KIND = "detent-execution"
VERSION = 1

#: Lines of the file are filled up to this width where a value fits on one.
WIDTH = 110
#: Deeper values stand on one line, however long.
INDENT_MAX = 12


class RecordingError(DetentError):
    """A file that is no exported execution, is damaged, or was written by a later release."""

    code = "RECORDING"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an execution beside its log. ``digest`` is that of its definition, ``machine`` an ARN.

    Instants are milliseconds since the epoch; ``ended_at`` is None while it runs. ``published_at`` is when the
    definition was stored under the machine's name.
    """

    id: str
    name: str
    machine: str
    digest: str
    profile: str
    started_at: int
    parent: str | None
    status: str
    ended_at: int | None
    published_at: int


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of the log: the events after number ``after`` up to ``last``, its control part and its values."""

    after: int
    last: int
    control: bytes
    payloads: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """``blobs`` are the large values by digest. ``release`` wrote the file, None for one that came from a store.

    ``beats`` are the heartbeat deadlines of running tasks, by pending id, ``at_work`` whether a living process works
    on the execution, None where nobody can know; they don't travel.
    """

    facts: Facts
    definition: JSON
    parts: tuple[Part, ...]
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    release: str | None = None
    beats: Mapping[int, int] = field(default_factory=dict)
    at_work: bool | None = None

    def steps(self) -> list[Step]:
        """The log, every value loaded. Raises LogError for a log that is damaged or of a later format."""
        steps = list(decode_log((part.after, part.control) for part in self.parts))
        texts = {part.after: part.payloads for part in self.parts}
        try:
            payloads = [payload for step in steps for payload in payloads_of(step)]
            fill_payloads(payloads, texts, self.blobs)
        except (ValueError, TypeError, RecursionError) as error:
            raise LogError(f"the values of the log are damaged: {error}") from error
        return steps


def write_recording(recording: Recording, release: str) -> bytes:
    """The text of the file. ``release`` is the one that writes it. Raises RecordingError for a damaged log."""
    try:
        body = _body_of(recording, release)
        body["sha256"] = sha256(encode(body)).hexdigest()
        return "".join(_lines(body, 0)).encode() + b"\n"
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"the execution cannot be written to a file: {error}") from error


def _body_of(recording: Recording, release: str) -> dict[str, JSON]:
    return {
        "kind": KIND,
        "version": VERSION,
        "release": release,
        "execution": asdict(recording.facts),
        "definition": recording.definition,
        "log": [
            {
                "after": part.after,
                "last": part.last,
                "control": decode(part.control),
                "payloads": decode(part.payloads),
            }
            for part in recording.parts
        ],
        "blobs": {digest: decode(text) for digest, text in sorted(recording.blobs.items())},
    }


def read_recording(text: bytes) -> Recording:
    """What a file holds. Raises RecordingError for anything that is not whole, LogError for a later log format."""
    body = _body(text)
    try:
        facts = _facts(body["execution"])
        recording = Recording(
            facts,
            body["definition"],
            tuple(_part(part) for part in body["log"]),
            {digest: encode(value) for digest, value in body["blobs"].items()},
            body["release"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordingError(f"the exported execution lacks something: {error}") from error
    if not recording.parts:
        raise RecordingError("the exported execution has no log")
    if digest_of(recording.definition) != facts.digest:
        raise RecordingError("the exported execution is damaged: its definition is not the one it ran with")
    _check_steps(recording.steps())
    return recording


def _check_steps(steps: Sequence[Step]) -> None:
    """What a store has written is of the right types; what came as a file may be anything. Raises LogError."""
    try:
        for step in steps:
            if [value.__class__ for value in (step.now, step.seed)] != [int, str]:
                raise TypeError(f"a step is of {step.now!r} and {step.seed!r}")
            for item in (step.signal, *step.events):
                _check_types(item)
    except TypeError as error:
        raise LogError(f"the log holds what no release writes: {error}") from error


def fingerprint(recording: Recording) -> str:
    """The same for two recordings of the same content, wherever and whenever they were stored or written."""
    facts = replace(recording.facts, published_at=0)
    return sha256(encode(_body_of(replace(recording, facts=facts), ""))).hexdigest()


def is_recording(text: bytes) -> bool:
    """Whether a text looks like the file, whole or not."""
    return f'"kind": "{KIND}"'.encode() in text[:200]


def _body(text: bytes) -> dict[str, Any]:
    try:
        body = decode(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or body.get("kind") != KIND:
        what = (
            "an exported execution that was cut or changed" if is_recording(text) else "no exported execution"
        )
        raise RecordingError(f"this is {what}; `detent export` writes one")
    version = body.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise RecordingError(
            f"the exported execution has version {version}, this release reads up to {VERSION}: upgrade detent"
        )
    said = body.pop("sha256", None)
    try:
        found = sha256(encode(body)).hexdigest()
    except (ValueError, TypeError):
        found = None
    if said != found:
        raise RecordingError("the exported execution was changed or damaged: export it again")
    return body


def _facts(said: Mapping[str, JSON]) -> Facts:
    facts = Facts(**said)
    _check_types(facts)
    return facts


_KINDS: Mapping[str, type] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": float,
    "None": type(None),
    "Payload": Payload,
    "dict[str, Payload]": dict,
    "tuple[str, ...]": tuple,
}


def _check_types(item: Any) -> None:
    """Raise TypeError unless each field of a fact, a signal or an event holds what it is declared to hold."""
    for name, kinds in _types_of(item.__class__):
        value = getattr(item, name)
        if not isinstance(value, kinds) or (value.__class__ is bool and bool not in kinds):
            raise TypeError(f"{name} of {item.__class__.__name__} is {value!r}")


@cache
def _types_of(kind: type[Any]) -> list[tuple[str, tuple[type, ...]]]:
    return [
        (name, tuple(_KINDS[part] for part in str(type).split(" | ")))
        for name, type in kind.__annotations__.items()
    ]


def _part(part: Mapping[str, JSON]) -> Part:
    payloads = b"[" + b",".join(encode(value) for value in part["payloads"]) + b"]"
    return Part(int(part["after"]), int(part["last"]), encode(part["control"]), payloads)


def _lines(value: JSON, indent: int) -> Iterator[str]:
    """JSON for people: what fits on a line stands on one, everything else is broken and indented."""
    if not isinstance(value, (dict, list)) or not value:
        yield _on_one_line(value)
        return
    flat = _on_one_line(value)
    if (indent and len(flat) + 2 * indent <= WIDTH) or indent > INDENT_MAX:
        yield flat
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield opening
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for number, (key, item) in enumerate(items):
        yield ("," if number else "") + "\n" + "  " * (indent + 1)
        if key is not None:
            yield f"{_on_one_line(key)}: "
        yield from _lines(item, indent + 1)
    yield "\n" + "  " * indent + closing


def _on_one_line(value: JSON) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate: only an escape can carry it
        text = json.dumps(value)
    return text
