"""``detent lint``: the validator's findings, and those of the rules; ``--fix`` mends what is safe to mend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .checking import FORMATS, Choices, finish, selection
from .configuration import Configuration
from .files import write_bytes
from .options import SETTINGS, variables
from .sources import Source, of_text, sources, split
from .validate import MachineType

if TYPE_CHECKING:
    from detent.schema.diagnostics import Diagnostic
    from detent.schema.lint.rule import Target
    from detent.schema.lint.settings import Settings
    from detent.schema.report import SourceText


@click.command(context_settings=SETTINGS)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@FORMATS
@click.option(
    "--type",
    "machine_type",
    type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False),
    help="What the machines will be deployed as.  [default: what the configuration says, or STANDARD]",
)
@click.option(
    "--target",
    type=click.Choice(["aws", "detent"]),
    help="Where the machines will run; what that target refuses is a finding.",
)
@click.option(
    "--fix", is_flag=True, help="Mend in the files what can be mended without changing what they do."
)
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix: mend also what changes how long something takes, and words that were hardly meant.",
)
@selection
@variables
def lint(
    files: tuple[str, ...],
    format: str,
    machine_type: MachineType | None,
    target: Target | None,
    fix: bool,
    unsafe_fixes: bool,
    choices: Choices,
    variables: Mapping[str, str],
) -> int:
    """Find what is valid and still wrong: data that cannot be there, loops without end, lost errors.

    Everything that `detent validate` finds is found, too. `detent explain CODE` says more about a finding. The
    exit code is 0 if there are no errors, 1 if there are (with --strict also for warnings), 2 for wrong usage
    or a file that cannot be opened.
    """
    findings: list[Diagnostic] = []
    texts: list[SourceText] = []
    mended = 0
    for file in files:
        settings = choices.settings(file, target=target)
        kind = _kind(machine_type, choices.configuration, file)
        if fix:
            mended += _fix(file, variables, settings, kind, unsafe=unsafe_fixes)
        for source in sources(file, variables):
            texts.append(source.text)
            findings += check(source, settings, kind)
    if mended:
        click.echo(f"{mended} finding{'s' if mended > 1 else ''} fixed", err=True)
    return finish(findings, texts, format, files=len(files), strict=choices.strict)


def _kind(given: MachineType | None, configuration: Configuration, file: str) -> MachineType:
    return "EXPRESS" if (given or configuration.machine_type(file)) == "EXPRESS" else "STANDARD"


def check(source: Source, settings: Settings, machine_type: MachineType) -> list[Diagnostic]:
    """The findings about a definition; Express if it is asked for, or the template says so."""
    from detent.schema.lint.check import lint as lint_document

    if source.document is None:
        return list(source.findings)
    kind: MachineType = "EXPRESS" if "EXPRESS" in (machine_type, source.machine_type) else "STANDARD"
    return [*source.findings, *lint_document(source.document, settings=settings, machine_type=kind)]


def _fix(
    argument: str,
    variables: Mapping[str, str],
    settings: Settings,
    machine_type: MachineType,
    *,
    unsafe: bool,
) -> int:
    """Mend a file in place, a template too; how many findings that were. What stands in other files is left alone."""
    from detent.schema.lint.check import Judgement, mended

    file, name = split(argument)
    if not Path(file).is_file():
        return 0
    raw = Path(file).read_bytes()
    mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
    try:
        before = raw.removeprefix(mark).decode()
    except UnicodeDecodeError:
        return 0

    def judge(text: str) -> Judgement:
        found = [source for source in of_text(file, text, name, variables) if source.text.text == text]
        findings = [each for source in found for each in check(source, settings, machine_type)]
        return Judgement(findings, readable=all(source.document is not None for source in found))

    text, count = mended(before, judge, unsafe=unsafe)
    if text != before:
        write_bytes(file, mark + text.encode())
    return count
