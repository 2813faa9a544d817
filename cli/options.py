"""Options that several commands share. Each may also be given as ``DETENT_NAME`` in the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: For every command: without it an option would be read from DETENT_COMMAND_NAME.
SETTINGS = {"auto_envvar_prefix": "DETENT", "help_option_names": ["-h", "--help"]}


def variables(command: Decorated) -> Decorated:
    """``--var NAME=VALUE``, any number of times, as a mapping."""
    return click.option(
        "--var",
        "variables",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_pairs,
        help="Fill in a ${NAME} of the definition. May be given more than once.",
    )(command)


def running(command: Decorated) -> Decorated:
    """What ``run`` and ``resume`` share: handlers, store, and how to show what happens."""
    for option in reversed(_RUNNING):
        command = option(command)
    return command


#: Who evaluates the paths of a definition.
jsonpath_option = click.option(
    "--jsonpath",
    "paths",
    type=click.Choice(["detent", "jsonpath-ng"]),
    default="detent",
    show_default=True,
    help="What evaluates JSONPath beyond plain references.",
)

_RUNNING = (
    click.option(
        "--handlers",
        metavar="MODULE",
        multiple=True,
        help="Where the @detent.task functions are: a Python file, a folder with a handlers.py, or a module. "
        "May be given more than once.",
    ),
    click.option(
        "--store",
        metavar="URL",
        help="Where executions are kept: sqlite:///path, a plain path, or memory:  "
        "[default: sqlite:///.detent/detent.db]",
    ),
    click.option(
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="On stdout: the output of the execution, or one JSON object with its name, status, output or error.",
    ),
    click.option("--log", is_flag=True, help="Print one line per transition instead of the live view."),
    jsonpath_option,
)


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> Mapping[str, str]:
    pairs = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", context, parameter)
        pairs[name.strip()] = value
    return pairs
