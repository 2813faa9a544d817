"""A text as an editor holds it: the state machines in it, as far as it can be read at this moment.

A text that is being typed is often broken just where the cursor is. :func:`mended_source` reads it with the broken
lines blanked out, so that every place stays where it is; what cannot be mended so has no machines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..diagnostics import Diagnostic, Pointer
from ..document import Document, DocumentError, read_document
from ..inference.infer import Inference, infer
from ..lint.check import lint
from ..lint.settings import DEFAULT, Settings
from ..outline import Outline, Scope, State, outline
from ..templates import Tool, machines_in, read_template
from ..validate import MachineType
from .cursor import Cursor, closed_before, cursor_at

#: How many broken lines are blanked out before a text is given up, one if it has so many characters.
_MENDS_MAX = 6
_LARGE = 200_000

_DEFINITION_NAME = re.compile(r"\.asl\.(?:json|ya?ml)\Z", re.IGNORECASE)
_DEFINITION_KEY = re.compile(r"""^\s*[{,]?\s*["']?(?:StartAt|States)["']?\s*:""", re.MULTILINE)
_LINE_END = re.compile(r"[\r\n]|\Z")


@dataclass(frozen=True)
class Written:
    """A state machine in a text. ``home`` leads to it from the root of a template; it is empty in a file of its own."""

    document: Document
    home: Pointer = ()
    machine_type: MachineType = "STANDARD"
    findings: tuple[Diagnostic, ...] = ()

    @cached_property
    def outline(self) -> Outline:
        value = self.document.value
        return outline(value if isinstance(value, dict) else {})

    @cached_property
    def inference(self) -> Inference:
        """What is known of the payload at every state."""
        return infer(self.outline)

    @cached_property
    def states(self) -> dict[Pointer, State]:
        return {state.pointer: state for state in self.outline.states}

    @cached_property
    def scopes(self) -> dict[Pointer, Scope]:
        return {scope.pointer: scope for scope in self.outline.scopes}


@dataclass(frozen=True, slots=True)
class Source:
    """What stands in a text. ``problems`` say why it, or a machine in it, could not be read."""

    text: str
    machines: tuple[Written, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    is_template: bool = False


def is_ours(text: str, name: str | None) -> bool:
    """Whether a text may be a definition or hold one: an editor may ask about any YAML or JSON there is."""
    if _DEFINITION_NAME.search(name or "") or _DEFINITION_KEY.search(text):
        return True
    try:
        return read_template(text) is not None
    except DocumentError:
        return True


def read_source(text: str, *, name: str | None = None) -> Source:
    """The text as it is."""
    try:
        template = read_template(text, source=name)
        if template is not None:
            return Source(text, tuple(_in_template(*template)), is_template=True)
        return Source(text, (Written(read_document(text, source=name)),))
    except DocumentError as error:
        return Source(text, problems=tuple(error.diagnostics))


def mended_source(text: str, *, name: str | None = None) -> Source:
    """The text as far as it can be read."""
    source = read_source(text, name=name)
    return source if source.machines else _mended(text, source, name)


def source_at(text: str, offset: int, *, name: str | None = None) -> Source:
    """The same, with what is being typed blanked out first, the whole line of it if that is not enough."""
    source = read_source(text, name=name)
    if source.machines:
        return source
    cursor = cursor_at(text, offset)
    if cursor is not None:
        source = _lenient(_without(text, cursor), name)
        if source.machines:
            return source
    left = _without_line(text, offset)
    found = _mended(left, _lenient(left, name), name)
    if not found.machines and text.lstrip()[:1] == "{":
        return _lenient(closed_before(text, offset), name)
    return found


def _mended(left: str, source: Source, name: str | None) -> Source:
    """Blank out one broken line after the other; the break may show on the line behind it."""
    for _ in range(_MENDS_MAX if len(left) < _LARGE else 1):
        broken = next((each.position for each in source.problems if each.position is not None), None)
        if source.machines or broken is None:
            break
        at = _offset(left, broken.line)
        before = len(left[:at].rstrip())
        sources = [
            (mended, _lenient(mended, name))
            for mended in (_without_line(left, at), _without_line(left, before) if before else left)
        ]
        left, source = next((pair for pair in sources if pair[1].machines), sources[0])
    return source


def _without(text: str, cursor: Cursor) -> str:
    """The text with blanks in place of the key or value that is being typed."""
    start = cursor.start - len(cursor.quote)
    end = cursor.end + (bool(cursor.quote) and text.startswith(cursor.quote, cursor.end))
    return text[:start] + " " * (end - start) + text[end:]


def findings(
    text: str,
    *,
    name: str | None = None,
    settings: Settings = DEFAULT,
    machine_type: MachineType = "STANDARD",
) -> list[Diagnostic]:
    """All findings about every machine in a text, as ``detent lint`` has them."""
    source = read_source(text, name=name)
    found = list(source.problems)
    for machine in source.machines:
        kind: MachineType = "EXPRESS" if "EXPRESS" in (machine_type, machine.machine_type) else "STANDARD"
        found += [*machine.findings, *lint(machine.document, settings=settings, machine_type=kind)]
    return found


def _in_template(tool: Tool, template: Document) -> Iterator[Written]:
    for machine in machines_in(tool, template):
        if machine.document is None:
            continue
        home: Pointer = ("Resources", machine.name, "Properties", "Definition")
        if tool is Tool.SERVERLESS:
            home = ("stepFunctions", "stateMachines", machine.name, "definition")
        yield Written(machine.document, home, machine.machine_type, machine.findings)


def _lenient(text: str, name: str | None) -> Source:
    """The text read as YAML, also what is meant as JSON: YAML has no quarrel with a comma at an end."""
    try:
        if (template := read_template(text, source=name)) is not None:
            return Source(text, tuple(_in_template(*template)), is_template=True)
    except DocumentError:
        pass
    try:
        return Source(text, (Written(read_document(text, source=None, format="yaml")),))
    except DocumentError as error:
        return Source(text, problems=tuple(error.diagnostics))


def _without_line(text: str, offset: int) -> str:
    """The text with blanks in place of a line; what was opened or closed on the line stays so."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    end = _LINE_END.search(text, offset)
    assert end is not None, "a text has an end"
    line = text[start : end.start()]
    closing = re.search(r"[\]}]+,?\s*\Z", line)
    kept = "" if closing is None or _is_closed(line) else closing.group()
    blanks = " " * (len(line) - len(kept))
    return text[:start] + blanks + kept + text[end.start() :]


def _is_closed(line: str) -> bool:
    return line.count("{") + line.count("[") == line.count("}") + line.count("]")


def _offset(text: str, line: int) -> int:
    """Where a line begins, counted from 1."""
    at = 0
    for match in re.finditer(r"\r\n|\r|\n", text):
        if line <= 1:
            break
        line -= 1
        at = match.end()
    return at
