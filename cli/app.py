"""The commands, found when they are asked for, and the one place where errors become sentences."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn, TextIO

import click

from .exits import EXIT_OF_CODE, HINT_OF_CODE, Exit, Refusal, say
from .logs import debugging, set_up

#: Where each command lives: module and name.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": (".init", "init"),
    "validate": (".validate", "validate"),
    "lint": (".lint", "lint"),
    "explain": (".explain", "explain"),
    "fmt": (".fmt", "fmt"),
    "convert": (".convert", "convert"),
    "graph": (".graph", "graph"),
    "schema": (".schema", "schema"),
    "lsp": (".lsp.command", "lsp"),
    "run": (".run", "run"),
    "resume": (".resume", "resume"),
    "redrive": (".redrive", "redrive"),
    "serve": (".serve", "serve"),
    "start": (".start", "start"),
    "keys": (".keys", "keys"),
    "worker": (".worker", "worker"),
    "workers": (".worker", "workers"),
    "gallery": (".gallery", "gallery"),
    "executions": (".executions", "executions"),
    "show": (".show", "show"),
    "history": (".history", "history"),
    "tail": (".tail", "tail"),
    "signal": (".steer", "signal"),
    "pause": (".steer", "pause"),
    "stop": (".stop", "stop"),
    "delete": (".stop", "delete"),
    "verify": (".verify", "verify"),
    "replay": (".replay", "replay"),
    "export": (".transfer", "export"),
    "import": (".transfer", "import_"),
    "gc": (".keeping", "gc"),
    "backup": (".keeping", "backup"),
    "migrate": (".migrate", "migrate"),
}


class _ReaderGone(Exception):
    """Whoever read the output has gone."""


class App(click.Group):
    """A group that imports a command when it is needed, and ends the process with the right exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module, __package__), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, n=1)
            guess = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {args[0]!r}.{guess}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderGone from None  # click would end the process with a code of its own

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run a command and exit. Whatever goes wrong is said in one sentence."""
        extra["standalone_mode"] = False
        sys.exit(_guarded(lambda: super(App, self).main(args, *rest, **extra)))


def _guarded(command: Callable[[], Any]) -> int:
    from detent.core.errors import DetentError

    set_up()
    _replace_closed_streams()
    try:
        code = command()
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Refusal as refusal:
        refusal.show()
        return refusal.exit
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return Exit.INTERRUPTED
    except (BrokenPipeError, _ReaderGone):
        _silence(sys.stdout)
        return Exit.BROKEN_PIPE
    except OSError as error:
        if debugging():
            traceback.print_exc()
        say(f"{error.filename or 'the output'} cannot be used: {error.strerror or error}")
        _silence(sys.stdout)
        return Exit.STORE
    except DetentError as error:
        if debugging():
            traceback.print_exc()
        say(str(error), HINT_OF_CODE.get(error.code))
        return EXIT_OF_CODE.get(error.code, Exit.INVALID)
    except Exception as error:
        if debugging():
            traceback.print_exc()
        say(
            f"{type(error).__name__}: {error}",
            "this is a defect of detent; DETENT_DEBUG=1 shows where it happened",
            kind="internal error",
        )
        return Exit.INTERNAL


def _replace_closed_streams() -> None:
    """A program that was started with stdout or stderr closed writes to nowhere instead of failing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _silence(stream: TextIO) -> None:
    """What is still buffered cannot be written, and the interpreter will try once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@click.group(
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every option may be given in the environment, too: DETENT_STORE for --store, and so on.",
)
@click.version_option(package_name="detent", message="detent %(version)s")
def app() -> None:
    """Runs Amazon States Language workflows, durable on your own machine."""
