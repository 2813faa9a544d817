"""The log's format: signals and events to rows and back.

A segment is what one batch of an execution wrote: its *control part* and its *payloads*. The control
part is JSON: ``[format, release, [[signal, now, seed, [event, ...]], ...]]``, each signal and event a row
``[code, field, ...]`` in the order of its class's fields. A payload stands in a row by reference: an
index into the segment's own payloads, ``[segment, index]`` for one that an earlier segment holds, or the
digest of a blob. The payloads are one JSON array, so that a fold need not read them.

Each signal stands with the ``now`` and ``seed`` it was decided with: deciding again from the same log
must lead to the same events (replay), while folding them (verify) decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from .errors import DetentError
from .events import EVENTS, Event
from .rows import Record, Row, code_of, encode_rows, fields_of, replaced
from .signals import SIGNALS, Signal
from .values import JSON, Payload, decode, encode

#: Version of the log's format; older ones are brought up to date where rows are decoded.
FORMAT = 1

#: A value whose text is longer is kept beside the log, once per execution, by its digest.
BLOB_BYTES = 16_384


class LogError(DetentError):
    """A log that this release cannot read: written by a later one, or damaged."""

    code = "LOG"


class Step(Record):
    """One signal and what it led to."""

    signal: Signal
    now: int
    seed: str
    events: Sequence[Event]


class Encoded(Record):
    """A segment's parts as texts; ``blobs`` are the large values by digest."""

    control: bytes
    payloads: bytes
    blobs: dict[str, bytes]


#: The first places of every log, where the inputs of all executions stand: one object for each.
_FIRST = [(0, index) for index in range(8)]


class _Table:
    """The payloads of a segment that is being written. Equal texts are stored once."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.texts: list[bytes] = []
        self.index: dict[bytes, int] = {}
        self.blobs: dict[str, bytes] = {}

    def reference(self, payload: object) -> int | tuple[int, int] | str:
        """What stands for a payload in a row; called by the JSON writer for what is not JSON."""
        if type(payload) is not Payload:
            raise TypeError(f"{type(payload).__name__} has no place in the log")
        ref = payload.ref or self._store(payload)
        return ref[1] if ref[0] == self.after else ref

    def _store(self, payload: Payload) -> tuple[int, int] | str:
        text = payload.text
        if len(text) > BLOB_BYTES:
            payload.ref = digest = blake2b(text, digest_size=20).hexdigest()
            self.blobs[digest] = text
            return digest
        index = self.index.setdefault(text, len(self.texts))
        if index == len(self.texts):
            self.texts.append(text)
        payload.ref = ref = (self.after, index) if self.after or index >= len(_FIRST) else _FIRST[index]
        return ref


class _Shape:
    """How a row becomes one class of signal or event again."""

    def __init__(self, kind: type[Row]) -> None:
        self.kind: type[Any] = kind
        types = list(fields_of(kind).values())
        #: Positions of fields in the row that hold a payload, or may hold none, a dict of payloads, a tuple.
        self.payloads = [i for i, type in enumerate(types) if type.startswith("Payload")]
        self.optional = [i for i, type in enumerate(types) if type == "Payload | None"]
        self.dicts = [i for i, type in enumerate(types) if "dict[str, Payload]" in type]
        self.tuples = [i for i, type in enumerate(types) if type.startswith("tuple")]

    def build(self, row: Sequence[Any], known: _Known) -> Any:
        values = list(row[1:])
        for i in self.payloads:
            values[i] = known.payload(values[i])
        for i in self.dicts:
            if values[i] is not None:
                values[i] = {name: known.payload(ref) for name, ref in values[i].items()}
        for i in self.tuples:
            values[i] = tuple(values[i])
        return self.kind(*values)


class _Known:
    """The payloads of a log that is being read: one object per place, so that sharing survives."""

    def __init__(self) -> None:
        self.after = 0
        self.payloads: dict[tuple[int, int] | str, Payload] = {}

    def payload(self, ref: int | list[int] | str | None) -> Payload | None:
        if ref is None:
            return None
        key: tuple[int, int] | str
        if isinstance(ref, str):
            key = ref
        elif isinstance(ref, int):
            key = (self.after, ref)
        else:
            key = (ref[0], ref[1])
        found = self.payloads.get(key)
        if found is None:
            found = self.payloads[key] = Payload.stored(key)
        return found


_SIGNALS: Mapping[str, _Shape] = {code_of(kind): _Shape(kind) for kind in SIGNALS}
_EVENTS: Mapping[str, _Shape] = {code_of(kind): _Shape(kind) for kind in EVENTS}


def encode_segment(after: int, release: str, steps: Iterable[Step]) -> Encoded:
    """Write the steps of one batch; ``after`` is the number of the last event before them.

    Payloads that were not stored yet get their ``ref``.
    """
    table = _Table(after)
    control = encode_rows((FORMAT, release, steps), table.reference)
    return Encoded(control, b"[%b]" % b",".join(table.texts), table.blobs)


def decode_log(segments: Iterable[tuple[int, bytes]]) -> Iterator[Step]:
    """The steps of a log's segments, given as (number of the last event before, control part).

    Payloads come without values: see :func:`missing_payloads`. Raises LogError.
    """
    known = _Known()
    for after, control in segments:
        known.after = after
        yield from _decode_segment(control, known)


def _decode_segment(control: bytes, known: _Known) -> Iterator[Step]:
    try:
        version, _, steps = decode(control)
        if version > FORMAT:
            raise LogError(f"the log has format {version}, this release reads up to {FORMAT}: upgrade detent")
        for signal, now, seed, events in steps:
            yield Step(
                _SIGNALS[signal[0]].build(signal, known),
                now,
                seed,
                [_EVENTS[row[0]].build(row, known) for row in events],
            )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise LogError(f"the log is damaged in the segment after event {known.after}: {error}") from error


def payloads_of(step: Step) -> Iterator[Payload]:
    """Every payload that a step's rows refer to."""
    for item in (step.signal, *step.events):
        for name in item.__struct_fields__:
            value = getattr(item, name)
            if isinstance(value, Payload):
                yield value
            elif isinstance(value, dict):
                yield from value.values()


def missing_payloads(payloads: Iterable[Payload]) -> tuple[set[int], set[str]]:
    """What must be read before the payloads have values: segments and blob digests."""
    segments: set[int] = set()
    digests: set[str] = set()
    for payload in payloads:
        if payload.loaded or payload.ref is None:
            continue
        if isinstance(payload.ref, str):
            digests.add(payload.ref)
        else:
            segments.add(payload.ref[0])
    return segments, digests


def fill_payloads(
    payloads: Iterable[Payload], segments: Mapping[int, bytes], blobs: Mapping[str, bytes]
) -> None:
    """Give payloads their values, from the texts of the segments and blobs that :func:`missing_payloads` named.

    Raises LogError if one of them is not there.
    """
    values: dict[int, list[JSON]] = {after: decode(text) for after, text in segments.items()}
    for payload in payloads:
        if payload.loaded or payload.ref is None:
            continue
        try:
            if isinstance(payload.ref, str):
                payload.load(blobs[payload.ref])
            else:
                after, index = payload.ref
                payload.set(values[after][index])
        except (KeyError, IndexError):
            raise LogError(f"the log lacks the payload {payload.ref}") from None


def unstored(signal: Signal) -> Signal:
    """The signal with payloads that no segment holds: for deciding it once more."""
    fresh: dict[str, Any] = {
        name: Payload(text=value.text)
        for name in signal.__struct_fields__
        if isinstance(value := getattr(signal, name), Payload)
    }
    return replaced(signal, **fresh) if fresh else signal


def encode_signal(signal: Signal) -> bytes:
    """A signal that travels alone, its payloads in it."""
    parts = (getattr(signal, name) for name in signal.__struct_fields__)
    return encode([signal.code, *(part.value if isinstance(part, Payload) else part for part in parts)])


def decode_signal(text: bytes) -> Signal:
    """What :func:`encode_signal` wrote. Raises LogError."""
    try:
        row = decode(text)
        shape = _SIGNALS[row[0]]
        absent = {i for i in shape.optional if row[i + 1] is None}
        payloads = set(shape.payloads) - absent
        values = [Payload(part) if i in payloads else part for i, part in enumerate(row[1:])]
        signal: Signal = shape.kind(*values)
        return signal
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise LogError(f"a message in the inbox is damaged: {error}") from error
