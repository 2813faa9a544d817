"""Names of handlers, read from the Python files beside a definition without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

#: Files beyond these are not looked at.
_FILES_MAX = 50
_BYTES_MAX = 256 * 1024


def handler_names(folder: Path) -> list[str]:
    """What ``@detent.task("...")`` names in the files of a folder, and in those of its ``handlers`` folder."""
    found: dict[str, None] = {}
    for path in _files(folder):
        try:
            status = path.stat()
            if status.st_size <= _BYTES_MAX:
                found.update(dict.fromkeys(_names_in(str(path), status.st_mtime_ns)))
        except OSError:
            continue
    return sorted(found)


def _files(folder: Path) -> list[Path]:
    try:
        return [*sorted(folder.glob("*.py")), *sorted(folder.glob("handlers/*.py"))][:_FILES_MAX]
    except OSError:
        return []


@lru_cache(maxsize=200)
def _names_in(path: str, modified: int) -> tuple[str, ...]:
    """The names in a file; ``modified`` makes a changed file another one."""
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(_declared(tree))


def _declared(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(
                    func=ast.Name("task") | ast.Attribute(attr="task"), args=[ast.Constant(str(name)), *_]
                ):
                    yield name
