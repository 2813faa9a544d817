"""Writes docs/reference.md from the code: commands, settings, exit codes, limits, the Python interface.

Run it with ``make reference``. What it prints depends on the code alone, not on the terminal or the release of
click, so that a test can compare.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

import detent
from detent.cli.app import app
from detent.core import limits

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference.md"

HEAD = """\
# Reference

Written from the code by `make reference`; do not edit. The codes of errors are in [errors.md](errors.md), those of
findings in [findings.md](findings.md). The commands that look at executions have a guide of their own,
[executions.md](executions.md).
"""

#: Settings that are no option of a command.
ENVIRONMENT = (
    ("DETENT_API_KEY", "the key that commands with `--server` show to the server"),
    ("DETENT_DEBUG", "`1` shows tracebacks: of handlers, and of defects of detent"),
    (
        "AWS_ENDPOINT_URL_LAMBDA",
        "where Lambda functions are called that no handler is; `AWS_ENDPOINT_URL` does, too",
    ),
    (
        "AWS_ENDPOINT_URL_SQS, ...",
        "where AWS services are called that tasks name, with the extra `aws`: one variable for each service, "
        "`AWS_ENDPOINT_URL` for all",
    ),
    ("SFN_MOCK_CONFIG", "the mock configuration, where `--mock` names none"),
    ("NO_COLOR", "anything: no colours"),
    ("TERM", "`dumb`, or none: one line per transition instead of the live view"),
    ("COLUMNS", "the width of tables and timelines where stdout is no terminal; 80 without it"),
    ("DEMO_PACE", "read by the handlers of the gallery alone: how long their work takes; `0` for none"),
)


def reference() -> str:
    """The whole document."""
    parts = [HEAD, "## Commands\n", *_commands(), *_environment(), *_exits(), *_limits(), *_python()]
    return "\n".join(parts).rstrip() + "\n"


def _commands() -> Iterator[str]:
    context = click.Context(app, info_name="detent")
    for name, command in _leaves(app, context):
        arguments = " ".join(_argument(p) for p in command.params if isinstance(p, click.Argument))
        yield f"### `detent {name}{f' {arguments}' if arguments else ''}`\n"
        yield f"{_prose(command.help or '')}\n"
        options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
        if options:
            yield _table(("option", "meaning"), ((_spelling(o), _meaning(o)) for o in options))


def _leaves(
    group: click.Group, context: click.Context, before: str = ""
) -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name; a group before the commands below it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield before + name, command
        if isinstance(command, click.Group):
            yield from _leaves(command, context, f"{name} ")


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    name = name.removeprefix("[").removesuffix("]...").removesuffix("...").removesuffix("]")
    more = "..." if argument.nargs == -1 else ""
    return f"{name}{more}" if argument.required else f"[{name}]{more}"


def _spelling(option: click.Option) -> str:
    if option.is_flag:
        value = ""
    elif isinstance(option.type, click.Choice):
        value = " " + "|".join(str(choice) for choice in option.type.choices)
    else:
        value = " " + (option.metavar or option.type.name.upper())
    names = ", ".join(sorted([*option.opts, *option.secondary_opts], key=len))
    return f"`{names}{value}`"


def _meaning(option: click.Option) -> str:
    text = option.help or ""
    default = option.default
    if option.show_default and isinstance(default, (str, int, float)) and not isinstance(default, bool):
        text += f"  [default: {default}]"
    return text


def _environment() -> Iterator[str]:
    yield "## Settings in the environment\n"
    yield (
        "Every option of every command may be given as `DETENT_` and its name in capitals, with underscores: "
        "`DETENT_STORE`\nfor `--store`, `DETENT_HANDLERS` for `--handlers`. What is typed wins. Beside these:\n"
    )
    yield _table(("variable", "meaning"), ((f"`{name}`", meaning) for name, meaning in ENVIRONMENT))


def _exits() -> Iterator[str]:
    from detent.cli.exits import Exit

    yield "## Exit codes\n"
    comments = _comments((ROOT / "cli" / "exits.py").read_text("utf-8"))
    rows = ((str(code.value), comments.get(code.name) or _words(code.name)) for code in Exit)
    yield _table(("code", "meaning"), rows)


#: What tells profiles apart, and limits nothing.
_KINDS = frozenset({"profile", "type", "synchronous"})


def _limits() -> Iterator[str]:
    yield "## Limits\n"
    yield (
        "An execution is pinned to a profile when it starts. `detent` is that of `run`; "
        "`aws` has the values of the service. Executions of type EXPRESS have the limits of their profile, but may "
        "take five minutes only, and their history is as long as it gets.\n"
    )
    comments = _comments((ROOT / "interpreter" / "core" / "limits.py").read_text("utf-8"))
    fields = [name for name in limits.DETENT.__dataclass_fields__ if name not in _KINDS]
    rows = (
        (
            f"`{name}`",
            _number(getattr(limits.DETENT, name)),
            _number(getattr(limits.AWS, name)),
            comments.get(name, ""),
        )
        for name in fields
    )
    yield _table(("limit", "detent", "aws", "meaning"), rows)
    yield "The same in both profiles:\n"
    names = sorted(name for name in vars(limits) if name.endswith("_MAX"))
    yield _table(
        ("limit", "value", "meaning"),
        ((f"`{name}`", _number(getattr(limits, name)), comments.get(name, "")) for name in names),
    )


def _python() -> Iterator[str]:
    yield "## Python\n"
    yield "What `import detent` offers. Everything else may change with any release.\n"
    for name in detent.__all__:
        thing = getattr(detent, name)
        signature = "" if inspect.isclass(thing) and name == "TaskContext" else str(inspect.signature(thing))
        yield f"### `detent.{name}{re.sub(chr(39), '', signature)}`\n"
        yield f"{_prose(inspect.getdoc(thing) or '')}\n"
        if inspect.isclass(thing):
            members = list(_members(thing))
            if members:
                yield _table(("member", "meaning"), members)


def _members(owner: type) -> Iterator[tuple[str, str]]:
    for name, member in vars(owner).items():
        if name.startswith("_"):
            continue
        if inspect.isfunction(member):
            text = inspect.getdoc(member) or ""
            yield f"`{name}()`", _prose(text).replace("\n", " ")
        elif hasattr(member, "__doc__") and (isinstance(member, property) or hasattr(member, "func")):
            text = inspect.getdoc(member) or ""
            yield f"`{name}`", _prose(text).replace("\n", " ") or _words(name)


def _comments(source: str) -> dict[str, str]:
    """What the ``#:`` comments above assignments say, by the name that is assigned."""
    lines = source.splitlines()
    found = {}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                above = []
                for line in reversed(lines[: node.lineno - 1]):
                    if not line.strip().startswith("#:"):
                        break
                    above.append(line.strip().removeprefix("#:").strip())
                if above:
                    found[name] = " ".join(reversed(above))
    return found


def _prose(text: str) -> str:
    """A docstring as Markdown: double backquotes are single ones, roles are names."""
    text = inspect.cleandoc(text).replace("\b", "").replace("``", "`")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)


def _words(name: str) -> str:
    return name.replace("_", " ").lower()


def _number(value: int | bool | None) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else f"{value:,}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


if __name__ == "__main__":
    TARGET.write_text(reference(), "utf-8")
