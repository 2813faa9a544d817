"""What ``validate`` and ``lint`` share: which findings are wanted, how they are printed, how the command ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from .configuration import Configuration, check_codes, configuration
from .definition import is_unreadable
from .exits import Exit
from .options import Decorated

if TYPE_CHECKING:
    from detent.schema.diagnostics import Diagnostic
    from detent.schema.lint.rule import Target
    from detent.schema.lint.settings import Settings
    from detent.schema.report import SourceText

FORMATS = click.option(
    "--format",
    "format",
    type=click.Choice(["text", "json", "sarif", "junit", "github"]),
    default="text",
    show_default=True,
    help="How findings are printed.",
)


@dataclass(frozen=True, slots=True)
class Choices:
    """Which findings somebody wants: what the command line says, before a configuration beside it."""

    configuration: Configuration
    select: Sequence[str]
    extend: Sequence[str]
    ignore: Sequence[str]
    strict: bool

    @property
    def are_made(self) -> bool:
        """Whether anybody chose anything."""
        return bool(self.select or self.extend or self.ignore or self.configuration.lint)

    def settings(self, file: str, *, target: Target | None = None) -> Settings:
        """The settings for one file. Raises Refusal."""
        return self.configuration.settings(
            file, select=self.select, extend=self.extend, ignore=self.ignore, target=target
        )


def selection(command: Decorated) -> Decorated:
    """The options that choose findings; the command gets them as ``choices``."""

    @wraps(command)
    def chosen(
        config: str | None,
        select: tuple[str, ...],
        extend_select: tuple[str, ...],
        ignore: tuple[str, ...],
        strict: bool,
        **rest: Any,
    ) -> Any:
        selected, extended, ignored = map(_split, (select, extend_select, ignore))
        check_codes((*selected, *extended, *ignored), "the command line")
        found = configuration(config)
        choices = Choices(found, selected, extended, ignored, strict or found.strict)
        return command(choices=choices, **rest)

    for option in reversed(_SELECTION):
        chosen = option(chosen)
    return chosen  # type: ignore[return-value]  # the same command, with more options


_SELECTION: Sequence[Callable[[Any], Any]] = (
    click.option("--select", metavar="CODES", multiple=True, help="Only these rules; ALL for every one."),
    click.option("--extend-select", metavar="CODES", multiple=True, help="These rules, too."),
    click.option("--ignore", metavar="CODES", multiple=True, help="Leave these findings out."),
    click.option("--strict", is_flag=True, help="Warnings, too, end the command with exit code 1."),
    click.option(
        "--config",
        metavar="FILE",
        help="The configuration.  [default: the nearest detent.toml, or pyproject.toml with [tool.detent]]",
    ),
)


def _split(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(code.strip() for value in values for code in value.split(",") if code.strip())


def finish(
    findings: Sequence[Diagnostic], texts: Sequence[SourceText], format: str, *, files: int, strict: bool
) -> int:
    """Print the findings, and a verdict where people read; the exit code."""
    from detent.schema.report import render, summary

    if report := render(findings, texts, format):
        click.echo(report)
    severities = {finding.severity for finding in findings}
    failed = "error" in severities or (strict and "warning" in severities)
    if format == "text":
        if report:
            click.echo(err=True)
        click.echo(_verdict(files, "error" in severities, summary(findings) if findings else ""), err=True)
    if is_unreadable(findings):
        return Exit.USAGE
    return Exit.INVALID if failed else Exit.SUCCEEDED


def _verdict(files: int, errors: bool, counts: str) -> str:
    checked = "1 file" if files == 1 else f"{files} files"
    return f"{checked}: {counts}" if errors else ", ".join(filter(None, [f"{checked}: valid", counts]))
