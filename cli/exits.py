"""How a command ends: exit codes, and refusals that know theirs and print themselves."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from detent.schema.diagnostics import Diagnostic
    from detent.schema.report import SourceText


class Exit(IntEnum):
    """The exit codes of every command."""

    #: Done; for `run` and `resume`: the execution succeeded.
    SUCCEEDED = 0
    #: The definition is invalid, or cannot be run as it stands.
    INVALID = 1
    #: Wrong usage: options, an input, handlers, a name, a file that is not there.
    USAGE = 2
    #: The execution failed.
    FAILED = 3
    #: The execution timed out.
    TIMED_OUT = 4
    #: The execution was aborted.
    ABORTED = 5
    #: A defect of detent.
    INTERNAL = 70
    #: The store cannot be used, or the output cannot be written.
    STORE = 74
    #: Interrupted, or ended by a handler that calls `os._exit`; the message says how to resume.
    INTERRUPTED = 130
    #: Whoever read the output has gone.
    BROKEN_PIPE = 141


#: Exit codes of detent's own errors, by their code; any other ends with INVALID.
EXIT_OF_CODE = {
    "CLIENT": Exit.USAGE,
    "EXECUTION_EXISTS": Exit.USAGE,
    "EXPOSED": Exit.USAGE,
    "HANDLERS": Exit.USAGE,
    "NOT_FOUND": Exit.USAGE,
    "NOT_REDRIVABLE": Exit.USAGE,
    "STILL_RUNNING": Exit.USAGE,
    "NOT_RUNNING": Exit.USAGE,
    "NOT_PAUSED": Exit.USAGE,
    "UNKNOWN_SIGNAL": Exit.USAGE,
    "AMBIGUOUS_STATE": Exit.USAGE,
    "INVALID_OUTPUT": Exit.USAGE,
    "QUERY": Exit.USAGE,
    "SEARCH_ATTRIBUTE": Exit.USAGE,
    "STORE_URL": Exit.USAGE,
    "TOO_MANY": Exit.USAGE,
    "WORKER": Exit.USAGE,
    "STORE": Exit.STORE,
    "STORE_CORRUPT": Exit.STORE,
    "STORE_IN_USE": Exit.STORE,
    "STORE_TOO_NEW": Exit.STORE,
    "STORE_UNAVAILABLE": Exit.STORE,
    "LOG": Exit.STORE,
    "ENGINE": Exit.INTERNAL,
    "EXECUTION_STUCK": Exit.INTERNAL,
}

#: What to try next, by the code of the error.
HINT_OF_CODE = {
    "NOT_FOUND": "`detent executions` lists what is there",
    "NOT_PAUSED": "`detent show` tells how it stands; `detent pause` pauses it",
    "AMBIGUOUS_STATE": "`detent show` tells what waits; --state names one of them",
    "STORE_IN_USE": "end it, or choose another --store; `show`, `signal`, `pause` and `stop` work beside it",
    "STORE_TOO_NEW": "use the release that wrote it, or choose another store with --store",
}


def say(message: str, hint: str | None = None, *, kind: str = "error") -> None:
    """One sentence to stderr, and what to try next."""
    click.echo(f"detent: {kind}: {message}", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)


class Refusal(Exception):
    """The command cannot do what it was asked to: one sentence, a hint, an exit code."""

    def __init__(self, message: str, hint: str | None = None, *, exit: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit = exit

    def show(self) -> None:
        """Say it on stderr."""
        say(self.message, self.hint)


class InvalidDefinition(Refusal):
    """The definition was read and cannot be run: every finding, each with its place."""

    def __init__(
        self,
        message: str,
        findings: Sequence[Diagnostic],
        texts: Sequence[SourceText],
        *,
        exit: Exit = Exit.INVALID,
    ) -> None:
        super().__init__(message, exit=exit)
        self.findings = findings
        self.texts = texts

    def show(self) -> None:
        from detent.schema.report import render

        click.echo(render(self.findings, self.texts, "text") + "\n", err=True)
        super().show()
