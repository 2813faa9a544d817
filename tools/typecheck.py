"""Type-check every module that is shipped, the handlers in ``definitions/`` among them.

The folders of the checkout are not named as they are imported (``interpreter/`` is ``detent``). mypy does not
follow setuptools' package-dir and would look at a single file without a word. So the packages are laid out
below ``build/typed`` as an installation has them, with symbolic links, and checked there, strictly. Tests that
are annotated, and the tools, are checked against them.

Run from anywhere: ``python tools/typecheck.py``. The exit code is 0 if all is well.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Checked beside the packages, not strictly.
ANNOTATED = ("tests/docs", "tests/house", "tools")


def lay_out(target: Path) -> None:
    """Build the tree of packages in ``target``, every folder at the place of its import name."""
    shutil.rmtree(target, ignore_errors=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for package, folder in sorted(project["tool"]["setuptools"]["package-dir"].items()):
        inside = target.joinpath(*package.split("."))
        inside.mkdir(parents=True, exist_ok=True)
        for entry in (ROOT / folder).iterdir():
            if entry.name != "__pycache__":
                (inside / entry.name).symlink_to(entry)


def main() -> int:
    typed = ROOT / "build" / "typed"
    lay_out(typed)
    shipped = mypy([typed], "--strict", "-p", "detent")
    # Other options, another cache: sharing one would throw it away each time.
    others = mypy([typed, ROOT / "tests"], "--cache-dir=.mypy_cache/tests", *ANNOTATED)
    return shipped or others


def mypy(path: list[Path], *arguments: str) -> int:
    """Run mypy where ``path`` holds what may be imported; print its findings with the checkout's file names."""
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--explicit-package-bases", *arguments],
        cwd=ROOT,
        env=os.environ | {"MYPYPATH": os.pathsep.join(map(str, path))},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(re.sub(r"^build/typed/[^:\s]+", _in_the_checkout, result.stdout, flags=re.MULTILINE), end="")
    return result.returncode


def _in_the_checkout(path: re.Match[str]) -> str:
    return os.path.relpath((ROOT / path[0]).resolve(), ROOT)


if __name__ == "__main__":
    sys.exit(main())
