"""From SVG to PNG, by a program that is installed beside detent."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .exits import Refusal

#: Programs that can do it, the best first: name, and arguments with {svg} and {png} for the files.
CONVERTERS: Sequence[tuple[str, Sequence[str]]] = (
    ("resvg", ("--zoom", "2", "{svg}", "{png}")),
    ("rsvg-convert", ("--zoom", "2", "--output", "{png}", "{svg}")),
    ("cairosvg", ("--scale", "2", "--output", "{png}", "{svg}")),
    ("inkscape", ("--export-dpi", "192", "--export-filename", "{png}", "{svg}")),
    ("magick", ("-density", "192", "{svg}", "{png}")),
)
TIMEOUT = 60


def to_png(svg: bytes) -> bytes:
    """The picture at twice its size. Raises Refusal if no converter is installed, or it fails."""
    found = next(((name, words) for name, words in CONVERTERS if shutil.which(name)), None)
    if found is None:
        names = ", ".join(name for name, _ in CONVERTERS)
        raise Refusal(
            f"no converter to PNG is installed: none of {names}", "install one, or choose --format svg"
        )
    name, words = found
    with tempfile.TemporaryDirectory() as folder:
        files = {"svg": str(Path(folder, "graph.svg")), "png": str(Path(folder, "graph.png"))}
        Path(files["svg"]).write_bytes(svg)
        command = [name, *(word.format(**files) for word in words)]
        try:
            result = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
            if result.returncode == 0:
                return Path(files["png"]).read_bytes()
            reason = result.stderr.decode(errors="replace").strip()[-300:]
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = str(error)
    raise Refusal(f"{name} could not convert the picture: {reason}", "choose --format svg")
