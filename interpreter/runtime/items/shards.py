"""Files of results, written piece by piece: ``SUCCEEDED_0.json``, ``SUCCEEDED_1.json``, ``FAILED_0.json``..."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ...core.values import JSON, encode

#: Bytes after which the next file begins.
FILE_BYTES_MAX = 5 * 1024**3


class Shards:
    """Files in a folder. ``lines`` writes a value a line instead of one array."""

    def __init__(self, folder: Path, *, lines: bool, bytes_most: int = FILE_BYTES_MAX) -> None:
        self._folder = folder
        self._lines = lines
        self._bytes_most = bytes_most
        self._open: dict[str, BinaryIO] = {}
        self._paths: dict[str, list[Path]] = {}

    def add(self, kind: str, value: JSON) -> None:
        """Append a result to the files of its kind."""
        text = encode(value)
        file = self._open.get(kind)
        if file is not None and file.tell() + len(text) + 2 > self._bytes_most:
            self._finish(kind)
            file = None
        if file is None:
            file = self._begin(kind)
        elif not self._lines:
            file.write(b",")
        file.write(text + b"\n" if self._lines else text)

    def finished(self) -> Iterator[tuple[str, Path]]:
        """Every file with its kind; nothing is added any more."""
        for kind in list(self._open):
            self._finish(kind)
        for kind, paths in self._paths.items():
            yield from ((kind, path) for path in paths)

    def _begin(self, kind: str) -> BinaryIO:
        paths = self._paths.setdefault(kind, [])
        path = self._folder / f"{kind}_{len(paths)}.{'jsonl' if self._lines else 'json'}"
        paths.append(path)
        file = self._open[kind] = path.open("wb")
        if not self._lines:
            file.write(b"[")
        return file

    def _finish(self, kind: str) -> None:
        file = self._open.pop(kind)
        if not self._lines:
            file.write(b"]")
        file.close()
