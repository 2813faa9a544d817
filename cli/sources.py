"""The definitions that an argument names: a file by itself, or the state machines of a template.

``template.yaml`` is every state machine in it, ``template.yaml#Name`` one of them, ``cdk.out`` those of every
template in the folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .exits import Exit, InvalidDefinition, Refusal

if TYPE_CHECKING:
    from detent.schema.diagnostics import Diagnostic
    from detent.schema.document import Document
    from detent.schema.report import SourceText
    from detent.schema.templates import Machine
    from detent.schema.validate import MachineType


@dataclass(frozen=True, slots=True)
class Source:
    """One definition; ``document`` is None if it cannot be read, and ``findings`` then say why.

    ``name`` is that of the machine in its template, None for a file by itself. ``text`` is what findings quote.
    """

    file: str
    name: str | None
    text: SourceText
    document: Document | None
    findings: tuple[Diagnostic, ...] = ()
    machine_type: MachineType = "STANDARD"

    @property
    def label(self) -> str:
        """How it is named on the command line."""
        return self.file if self.name is None else f"{self.file}#{self.name}"


def the_definition(argument: str, variables: Mapping[str, str]) -> Document:
    """The one definition that an argument names. Raises Refusal if it names several, InvalidDefinition if none."""
    found = sources(argument, variables)
    if len(found) > 1:
        labels = "\n  ".join(source.label for source in found)
        raise Refusal(f"{argument} holds {len(found)} state machines; choose one:\n  {labels}")
    (source,) = found
    if source.document is None:
        from .definition import is_unreadable

        exit = Exit.USAGE if is_unreadable(source.findings) else Exit.INVALID
        raise InvalidDefinition(f"{argument} cannot be read", source.findings, [source.text], exit=exit)
    return source.document


def sources(argument: str, variables: Mapping[str, str]) -> list[Source]:
    """Every definition that an argument names, at least one. Raises Refusal for a name that a template has not."""
    file, name = split(argument)
    files = _templates(Path(file))
    found = [source for path in files for source in _of_file(path, name, variables)]
    if found:
        return found
    if name is None:
        raise Refusal(f"there is no state machine in {file}")
    known = [
        source.label
        for path in files
        for source in _of_file(path, None, variables)
        if source.name is not None
    ]
    hint = f"it has: {', '.join(known)}" if known else "it is no template: leave the name out"
    raise Refusal(f"there is no state machine {name!r} in {file}", hint)


def split(argument: str) -> tuple[str, str | None]:
    """The file, and the name behind the last ``#``; a file that is called so wins."""
    file, sign, name = argument.rpartition("#")
    if not sign or not file or not name or Path(argument).exists():
        return argument, None
    return file, name


def _templates(path: Path) -> list[str]:
    """The files meant: those in a folder that CDK has written, otherwise the file itself."""
    inside = sorted(path.glob("**/*.template.json")) if path.is_dir() else []
    return [str(one) for one in inside] or [str(path)]


def _of_file(file: str, name: str | None, variables: Mapping[str, str]) -> Iterator[Source]:
    from detent.schema.document import DocumentError, read_bytes
    from detent.schema.frontdoor import TEMPLATE_LIMITS

    try:
        text = read_bytes(file, limits=TEMPLATE_LIMITS)
    except DocumentError as error:
        yield Source(file, name, error, None, tuple(error.diagnostics))
        return
    yield from of_text(file, text, name, variables)


def of_text(file: str, text: bytes | str, name: str | None, variables: Mapping[str, str]) -> Iterator[Source]:
    """The definitions that a file would hold if this were its text."""
    from detent.schema.document import DocumentError, read_document
    from detent.schema.templates import machines_in, read_template

    try:
        template = read_template(text, source=file)
        if template is None:
            if name is None:
                document = read_document(text, source=file).substitute(variables)
                yield Source(file, None, document, document)
            return
    except DocumentError as error:
        yield Source(file, name, error, None, tuple(error.diagnostics))
        return
    tool, whole = template
    for machine in machines_in(tool, whole):
        if name in (None, machine.name):
            yield _of_machine(file, machine, whole, variables)


def _of_machine(file: str, machine: Machine, template: Document, variables: Mapping[str, str]) -> Source:
    from detent.schema.document import DocumentError, read_file

    document, findings = machine.document, machine.findings
    try:
        if machine.file is not None:
            document = read_file(Path(file).parent / machine.file)
            findings = (*findings, *machine.unknown_substitutions(document))
        if document is not None:
            document = machine.filled(document, variables)
    except DocumentError as error:
        return Source(file, machine.name, error, None, tuple(error.diagnostics), machine.machine_type)
    return Source(file, machine.name, document or template, document, findings, machine.machine_type)
