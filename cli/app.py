"""The commands, found when they are asked for, and the one place where errors become sentences."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn, TextIO

import click

from .exits import EXIT_OF_CODE, HINT_OF_CODE, Exit, Refusal, say
from .logs import debugging, set_up


class Place(NamedTuple):
    """Where a command lives, and what the list of commands says of it."""

    module: str
    name: str
    says: str


#: All commands, in the order in which one comes to need them.
SECTIONS: Mapping[str, Mapping[str, Place]] = {
    "Write a workflow": {
        "init": Place(".init", "init", "Begin a project that runs at once."),
        "gallery": Place(".gallery", "gallery", "List the workflows that come with detent; copy one."),
        "validate": Place(".validate", "validate", "Check definitions, by themselves or in a template."),
        "lint": Place(".lint", "lint", "Find what is valid and still wrong."),
        "explain": Place(".explain", "explain", "Say what a finding means."),
        "fmt": Place(".fmt", "fmt", "Give definitions the one layout."),
        "convert": Place(".convert", "convert", "Write a definition as YAML or as JSON."),
        "graph": Place(".graph", "graph", "Draw a definition."),
        "schema": Place(".schema", "schema", "Print the JSON Schema of definitions."),
        "lsp": Place(".lsp.command", "lsp", "Serve an editor."),
    },
    "Run it": {
        "run": Place(".run", "run", "Run a definition, and print its output."),
        "resume": Place(".resume", "resume", "Go on with what was interrupted or paused."),
        "redrive": Place(".redrive", "redrive", "Go on with what failed, was stopped or ran out of time."),
    },
    "Look at what ran": {
        "executions": Place(".executions", "executions", "List executions, the newest first."),
        "show": Place(".show", "show", "Show one: its timeline, every state with its values."),
        "history": Place(".history", "history", "List the events of one, as the service names them."),
        "tail": Place(".tail", "tail", "Follow one, or all, event by event."),
        "verify": Place(".verify", "verify", "Check the laws that every log obeys."),
        "replay": Place(".replay", "replay", "Decide again what is recorded, also with a new definition."),
    },
    "Steer it": {
        "signal": Place(".steer", "signal", "Send a named signal to the state that waits for it."),
        "pause": Place(".steer", "pause", "Let nothing new begin in one."),
        "stop": Place(".stop", "stop", "End one as ABORTED, whoever runs it."),
    },
    "Serve it": {
        "serve": Place(".serve", "serve", "Serve the AWS protocol and the REST API on one port."),
        "start": Place(".start", "start", "Start an execution on a server."),
        "keys": Place(".keys", "keys", "Make, list and revoke the API keys of a server."),
        "worker": Place(".worker", "worker", "Take part in a fleet on a shared store."),
        "workers": Place(".worker", "workers", "List who works on a store, and what waits."),
    },
    "Keep it": {
        "export": Place(".transfer", "export", "Write one execution, whole, to a file."),
        "import": Place(".transfer", "import_", "Bring exported executions into a store."),
        "delete": Place(".stop", "delete", "Delete executions and everything stored for them."),
        "gc": Place(".keeping", "gc", "Forget executions that ended long ago."),
        "backup": Place(".keeping", "backup", "Copy a SQLite store while engines go on working."),
        "migrate": Place(".migrate", "migrate", "Bring the layout of a store up to date."),
    },
}
COMMANDS: Mapping[str, Place] = {
    name: place for section in SECTIONS.values() for name, place in section.items()
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
        place = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(place.module, __package__), place.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), place.says) for name, place in section.items()])

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
        if isinstance(error, click.NoSuchOption) and error.option_name == "--json":
            error = click.NoSuchOption("--json", possibilities=["--output json"], ctx=error.ctx)
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
