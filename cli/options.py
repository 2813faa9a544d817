"""Options that several commands share. Each may also be given as ``DETENT_NAME`` in the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: For every command: without it an option would be read from DETENT_COMMAND_NAME.
SETTINGS = {"auto_envvar_prefix": "DETENT", "help_option_names": ["-h", "--help"]}


_FROM_FILES = "detent.variables"


def variables(command: Decorated) -> Decorated:
    """``--var NAME=VALUE`` and ``--vars FILE``, any number of times, as one mapping; ``--var`` comes first."""
    command = click.option(
        "--vars",
        multiple=True,
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_files_of_pairs,
        help="Fill in what this file names: an object of names and values, in YAML or JSON.",
    )(command)
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

#: Where the functions are that do the tasks.
handlers_option = click.option(
    "--handlers",
    metavar="MODULE",
    multiple=True,
    help="Where the @detent.task functions are: a Python file, a folder with a handlers.py, or a module. "
    "May be given more than once.",
)

#: Where Lambda functions are that are no handlers by themselves.
functions_option = click.option(
    "--functions",
    metavar="FILE",
    multiple=True,
    help="Where Lambda functions are: an object of names, each with module:function or file.py:function, in YAML "
    "or JSON. May be given more than once.",
)


def allowances(command: Decorated) -> Decorated:
    """What definitions that come from elsewhere may reach of this machine and its network."""
    for option in reversed(_ALLOWANCES):
        command = option(command)
    return command


_ALLOWANCES = (
    click.option(
        "--allow-exec",
        metavar="PROGRAM",
        multiple=True,
        help="Let exec: tasks start this program, named as in the definition; * for any. May be given more than once.",
    ),
    click.option(
        "--file-root",
        metavar="DIR",
        multiple=True,
        type=click.Path(exists=True, file_okay=False),
        help="Let Maps read and write files below this folder. May be given more than once.",
    ),
    click.option(
        "--allow-private", is_flag=True, help="Let tasks reach private addresses, this machine's among them."
    ),
)

#: What tasks answer instead of doing their work.
mock_option = click.option(
    "--mock",
    metavar="FILE",
    help="A mock configuration: what the tasks of a test case answer instead of doing their work.  "
    "[default: $SFN_MOCK_CONFIG]",
)

_RUNNING = (
    handlers_option,
    functions_option,
    mock_option,
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
    pairs = dict(context.meta.get(_FROM_FILES, {}))
    for text in values:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", context, parameter)
        pairs[name.strip()] = value
    return pairs


def _files_of_pairs(context: click.Context, parameter: click.Parameter, files: tuple[str, ...]) -> None:
    """Names and values of files: a text as it is, any other value as JSON."""
    if not files:
        return
    import json

    from detent.schema.document import DocumentError, read_file

    pairs: dict[str, str] = {}
    for file in files:
        try:
            values = read_file(file).value
        except DocumentError as error:
            raise click.BadParameter(str(error), context, parameter) from None
        if not isinstance(values, dict):
            raise click.BadParameter(f"{file} is no object of names and values", context, parameter)
        pairs |= {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()
        }
    context.meta[_FROM_FILES] = pairs
