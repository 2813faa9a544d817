"""``detent init``: a project that runs at once, to be changed into one's own.

What is written are the files in ``starter/``, as they are.
"""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exits import Exit, Refusal
from .options import SETTINGS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: Files that cannot be shipped under their own names.
_CALLED = {"gitignore": ".gitignore"}
#: Left behind by running the files where they are installed.
_LITTER = ("__pycache__", "__init__.py")


@click.command(context_settings=SETTINGS)
@click.argument("directory", metavar="[DIR]", default=".")
def init(directory: str) -> int:
    """Begin a project in DIR, the current folder if it is left out.

    It has a definition, handlers, a test and a configuration, and runs at once. Nothing that exists is overwritten:
    if one of the files is there, none is written.
    """
    folder = Path(directory)
    written = begin(folder)
    here = "" if folder.resolve() == Path.cwd() else f"  cd {shlex.quote(directory)}\n"
    click.echo(f"wrote {', '.join(written)}")
    click.echo(
        f"\nTry:\n\n{here}"
        "  detent run workflow.asl.yaml --input @input.json --handlers handlers.py\n"
        "  detent lint workflow.asl.yaml\n"
        "  pytest"
    )
    return Exit.SUCCEEDED


def begin(folder: Path) -> list[str]:
    """Write the files of a new project; their names. Raises Refusal if one of them is there already."""
    starters = {_CALLED.get(file.name, file.name): file for file in _starters()}
    try:
        there = [name for name in starters if (folder / name).exists() or (folder / name).is_symlink()]
        if there:
            raise Refusal(
                f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} in {folder} already; nothing was written",
                "name another folder: detent init DIR",
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name, file in starters.items():
            with (folder / name).open("xb") as new:
                new.write(file.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(f"{folder} cannot be written: {reason}") from None
    return list(starters)


def _starters() -> list[Traversable]:
    found = files("detent.cli").joinpath("starter").iterdir()
    return sorted((file for file in found if file.name not in _LITTER), key=lambda file: file.name)
