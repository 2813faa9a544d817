"""Print constraints that pin every dependency of pyproject.toml to its lower bound (``make test-lowest``)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())["project"]
for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
    if ">=" in requirement:
        # A constraint may not name extras.
        print(re.sub(r"\[.*?\]", "", requirement).replace(">=", "=="))
