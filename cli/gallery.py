"""``detent gallery``: the workflows that come with detent, listed and copied out.

What a workflow shows, and the commands that run it, are read from its README: they are written once.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exits import Exit, Refusal
from .options import SETTINGS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from .outcome import OutputFormat

_SENTENCE = re.compile(r"^# .*\n\n((?:.+\n)+)")
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Left behind by running handlers where they are installed.
_LITTER = "__pycache__"


@dataclass(frozen=True, slots=True)
class Specimen:
    """One workflow of the gallery: its name, the sentence on what it shows, the commands to type in its folder."""

    name: str
    shows: str
    commands: tuple[str, ...]
    folder: Traversable


@click.command(context_settings=SETTINGS)
@click.argument("name", required=False)
@click.argument("directory", metavar="[DIR]", required=False)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or one JSON value for programs.",
)
def gallery(name: str | None, directory: str | None, output: OutputFormat) -> int:
    """List the workflows that come with detent; with NAME, copy one of them to DIR.

    DIR is made, and is called NAME if it is left out. Nothing that exists is overwritten.
    """
    from .paper import print_json

    specimens = {specimen.name: specimen for specimen in find_specimens()}
    if name is None:
        if output == "json":
            print_json({"workflows": [_as_json(specimen) for specimen in specimens.values()]})
        else:
            _list(list(specimens.values()))
        return Exit.SUCCEEDED
    if name not in specimens:
        raise Refusal(f"there is no {name!r} in the gallery", "`detent gallery` lists what there is")
    target = Path(directory if directory is not None else name)
    copy_out(specimens[name].folder, target)
    if output == "json":
        print_json({**_as_json(specimens[name]), "folder": str(target)})
    else:
        click.echo(f"{name} is in {target}. Try:\n\n  cd {shlex.quote(str(target))}")
        for command in specimens[name].commands:
            click.echo(f"  {command}")
    return Exit.SUCCEEDED


def find_specimens() -> Iterator[Specimen]:
    """The workflows of the gallery, by name."""
    from importlib.resources import files

    folders = (folder for folder in files("detent.definitions").iterdir() if folder.is_dir())
    for folder in sorted(folders, key=lambda folder: folder.name):
        if folder.joinpath("workflow.yaml").is_file():
            yield _specimen(folder)


def _specimen(folder: Traversable) -> Specimen:
    readme = folder.joinpath("README.md").read_text("utf-8")
    sentence, commands = _SENTENCE.search(readme), _COMMANDS.search(readme)
    assert sentence is not None
    assert commands is not None
    shows = " ".join(sentence[1].split())
    return Specimen(folder.name, shows, tuple(commands[1].splitlines()), folder)


def copy_out(folder: Traversable, target: Path) -> None:
    """Copy a workflow to a folder that is new, or empty. Raises Refusal."""
    from importlib.resources import as_file

    try:
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise Refusal(f"{target} exists already", "name another folder: detent gallery NAME DIR")
        with as_file(folder) as source:
            shutil.copytree(
                source,
                target,
                copy_function=shutil.copyfile,
                ignore=shutil.ignore_patterns(_LITTER),
                dirs_exist_ok=True,
            )
    except (OSError, ValueError, shutil.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(f"{target} cannot be written: {reason}") from None


def _list(specimens: list[Specimen]) -> None:
    from textwrap import fill

    from .paper import paper

    width = paper().width
    for specimen in specimens:
        click.echo(specimen.name)
        click.echo(fill(specimen.shows, width, initial_indent="  ", subsequent_indent="  "))
        for command in specimen.commands:
            click.echo(f"    {command}")
        click.echo()
    click.echo("`detent gallery NAME` copies one into a new folder; the commands are run there.")


def _as_json(specimen: Specimen) -> dict[str, str | list[str]]:
    return {"name": specimen.name, "shows": specimen.shows, "commands": list(specimen.commands)}
