"""The front door for untrusted text: what is let in, before any parser reads it.

Owns the limits on text (each named, each with a reason), the way from bytes to characters, and the cheap
measure of nesting that must come before the recursive C scanner of ``json``. Owns the error that everything
behind the door raises. It knows nothing of what a text means.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NoReturn

from detent.core.errors import DetentError

from .diagnostics import Diagnostic, Fix, Pointer, Position, Severity, in_reading_order

#: Longest integer that is read, in decimal digits: Python itself refuses to print longer ones.
MAX_INTEGER_DIGITS = 4300

#: Findings reported for one text; a reader of the 101st has stopped reading.
MAX_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class TextLimits:
    """What one text may hold. YAML aliases count as if each were written out.

    ``max_bytes``      size of the text in UTF-8. Definitions: 1 MiB, what the service takes.
    ``max_depth``      nesting of arrays and objects. 200 is beyond any definition and below the 254 levels
                       that the fast JSON encoder writes, so a value that was read can always be written.
    ``max_nodes``      values and containers: what they cost in memory is not seen in their bytes.
    ``max_aliases``    uses of YAML anchors, merges included.
    ``max_expanded_bytes``  characters of all scalars and keys: a long text may be aliased a thousand times.
    """

    max_bytes: int = 1024 * 1024
    max_depth: int = 200
    max_nodes: int = 250_000
    max_aliases: int = 10_000
    max_expanded_bytes: int = 8 * 1024 * 1024


#: A definition, as the service limits it.
DEFINITION_LIMITS = TextLimits()

#: A template in JSON, such as a plan of many resources. In YAML, which is read more slowly, it is as a definition.
TEMPLATE_LIMITS = TextLimits(max_bytes=4 * 1024 * 1024, max_nodes=500_000)

#: Input of an execution, or items of a Map: the largest payload a limit profile may allow is 64 MiB.
INPUT_LIMITS = TextLimits(
    max_bytes=64 * 1024 * 1024, max_nodes=10_000_000, max_aliases=0, max_expanded_bytes=64 * 1024 * 1024
)


class DocumentError(DetentError):
    """A text that could not be read. ``diagnostics`` holds every problem found, in reading order.

    ``source`` and ``text`` are those of a Document; ``text`` is None if the problem came before the characters.
    """

    code = "DOCUMENT"

    def __init__(self, diagnostics: Iterable[Diagnostic], text: str | None = None) -> None:
        self.diagnostics: list[Diagnostic] = in_reading_order(diagnostics)
        self.source: str | None = self.diagnostics[0].source
        self.text = text
        more = len(self.diagnostics) - 1
        tail = f" (and {more} more)" if more > 0 else ""
        super().__init__(f"{self.diagnostics[0]}{tail}")


class Lines:
    """From an offset in a text to its line and column, as an editor counts them."""

    __slots__ = ("_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None

    def position(self, offset: int) -> Position:
        if self._starts is None:
            self._starts = _line_starts(self._text)
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def offset(self, position: Position) -> int:
        """The other way round."""
        self.position(0)
        assert self._starts is not None, "the line above has filled it"
        return self._starts[position.line - 1] + position.column - 1


def _line_starts(text: str) -> list[int]:
    """Offsets at which lines begin; lines end with \\n, \\r\\n or \\r and with nothing else."""
    starts = [0]
    if "\r" not in text:
        start = text.find("\n") + 1
        while start:
            starts.append(start)
            start = text.find("\n", start) + 1
        return starts
    for offset, character in enumerate(text):
        if character == "\n" or (character == "\r" and text[offset + 1 : offset + 2] != "\n"):
            starts.append(offset + 1)
    return starts


@dataclass(slots=True)
class Findings:
    """Collects what is wrong with one text while it is read."""

    text: str
    source: str | None
    found: list[Diagnostic] = field(default_factory=list)
    lines: Lines = field(init=False)

    def __post_init__(self) -> None:
        self.lines = Lines(self.text)

    def add(
        self,
        code: str,
        message: str,
        offset: int | None,
        pointer: Pointer = (),
        hint: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Note a problem that reading can go on behind."""
        position = None if offset is None else self.lines.position(offset)
        found = Diagnostic(code, Severity.ERROR, message, pointer, position, self.source, hint, fix=fix)
        self.found.append(found)
        if len(self.found) >= MAX_FINDINGS:
            raise DocumentError(self.found, self.text)

    def stop(
        self, code: str, message: str, offset: int | None, pointer: Pointer = (), hint: str | None = None
    ) -> NoReturn:
        """Note a problem that nothing sensible can be read behind. Raises DocumentError."""
        self.add(code, message, offset, pointer, hint)
        raise DocumentError(self.found, self.text)

    def raise_if_any(self) -> None:
        if self.found:
            raise DocumentError(self.found, self.text)


def admit(text: str | bytes, *, source: str | None, limits: TextLimits) -> str:
    """The characters of a text that may come in: UTF-8, not too large, not empty; a byte order mark is dropped.

    Raises DocumentError with code ``too-large``, ``encoding``, ``binary`` or ``empty``.
    """
    size = len(text)
    if isinstance(text, str) and size <= limits.max_bytes and not text.isascii():
        size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.max_bytes:
        refuse(
            "too-large",
            f"the text is larger than the limit of {limits.max_bytes} bytes",
            source,
            "keep data out of the definition, or raise the limit",
        )
    characters = _decoded(text, source) if isinstance(text, bytes) else text.removeprefix("\ufeff")
    if not characters or characters.isspace():
        refuse("empty", "there is nothing in it", source, "a JSON or YAML document is expected")
    return characters


def refuse(code: str, message: str, source: str | None, hint: str | None = None) -> NoReturn:
    """Raise a DocumentError about the text as a whole."""
    raise DocumentError([Diagnostic(code, Severity.ERROR, message, source=source, hint=hint)])


def _decoded(text: bytes, source: str | None) -> str:
    for mark, name in _FOREIGN_MARKS:
        if text.startswith(mark):
            refuse("encoding", f"the text is {name}, not UTF-8", source, "save it as UTF-8")
    text = text.removeprefix(b"\xef\xbb\xbf")
    try:
        characters = text.decode()
    except UnicodeDecodeError as error:
        if b"\0" in text:
            refuse("binary", "this is binary data, not text", source, "a JSON or YAML file is expected")
        before = text[: error.start].decode()
        Findings(before, source).stop(
            "encoding",
            f"byte 0x{text[error.start]:02x} is not UTF-8",
            len(before),
            hint="save the file as UTF-8",
        )
    if "\0" in characters:
        if characters.count("\0") * 3 > len(characters):
            refuse("encoding", "the text looks like UTF-16, not UTF-8", source, "save it as UTF-8")
        refuse("binary", "this is binary data, not text", source, "a JSON or YAML file is expected")
    return characters


_FOREIGN_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b"[]{},")
_STEP = [1 if byte in b"[{" else -1 if byte in b"]}" else 0 for byte in range(256)]


def check_json_shape(text: str, *, source: str | None, limits: TextLimits) -> None:
    """Refuse JSON text that is nested too deeply or holds too many values, without parsing it.

    What stands in strings is dropped first. In a text that is no JSON the measure may be off, but only behind
    the first mistake, where no parser arrives. Raises DocumentError, code ``too-deep`` or ``too-many-values``.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    structure = b"".join(raw.split(b'"')[::2]).translate(None, _NOT_STRUCTURE)
    opened = structure.count(b"[") + structure.count(b"{")
    if opened > limits.max_depth and max(accumulate(map(_STEP.__getitem__, structure))) > limits.max_depth:
        _refuse_depth(text, source, limits)
    if opened + structure.count(b",") + 1 > limits.max_nodes:
        refuse("too-many-values", f"there are more than {limits.max_nodes} values in it", source)


def _refuse_depth(text: str, source: str | None, limits: TextLimits) -> NoReturn:
    """Find the bracket that is one too many; strings are skipped with find, so this stays linear."""
    depth = offset = 0
    while offset < len(text) and depth <= limits.max_depth:
        character = text[offset]
        if character == '"':
            offset = _end_of_string(text, offset)
        elif character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        offset += 1
    Findings(text, source).stop("too-deep", too_deep(limits), offset - 1)


def _end_of_string(text: str, offset: int) -> int:
    end = text.find('"', offset + 1)
    while end > 0:
        backslashes = end
        while text[backslashes - 1] == "\\":
            backslashes -= 1
        if (end - backslashes) % 2 == 0:
            return end
        end = text.find('"', end + 1)
    return len(text)


def too_deep(limits: TextLimits) -> str:
    return f"arrays and objects are nested deeper than {limits.max_depth} levels"
