"""Texts of definitions from files and stdin, and back."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .exits import Refusal

if TYPE_CHECKING:
    from detent.schema.document import Document

STDIN = "<stdin>"


def read_definition(file: str) -> Document:
    """The document in a file, or on stdin for ``-``. Raises DocumentError."""
    from detent.schema.document import DEFINITION_LIMITS, read_document, read_file

    if file != "-":
        return read_file(file)
    return read_document(sys.stdin.buffer.read(DEFINITION_LIMITS.max_bytes + 1), source=STDIN)


def write_text(file: str, text: str) -> None:
    """Replace the content of a file at once: nobody ever sees half of it. Raises Refusal."""
    write_bytes(file, text.encode())


def write_bytes(file: str, content: bytes) -> None:
    """The same for what is no text."""
    path = Path(os.path.realpath(file))
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else None
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
            new.write(content)
        os.chmod(new.name, mode if mode is not None else 0o666 & ~_umask())
        os.replace(new.name, path)
    except OSError as error:
        raise Refusal(f"{file} cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
