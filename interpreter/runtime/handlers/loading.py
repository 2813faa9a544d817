"""Finding the handlers that a module or a file defines. Importing runs its code, once per load."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import HandlersError
from .python import message_of, place_of, task_names

#: The file that stands for a directory.
DIRECTORY_FILE = "handlers.py"


def load_handlers(spec: str) -> dict[str, Callable[..., Any]]:
    """The functions marked with ``@task`` in a module, by their names.

    ``spec`` is a dotted module name, the path of a ``.py`` file, or a directory with a ``handlers.py``. A
    file may import what lies in its own folder, a module what lies in the working directory. Functions
    that the module imports from others count as its own. Raises HandlersError, with the place, when there
    is no such module, when it cannot be imported, registers nothing, or one name twice.
    """
    module = _from_file(spec) if _is_path(spec) else _from_name(spec)
    found: dict[str, Callable[..., Any]] = {}
    for value in vars(module).values():
        for name in task_names(value):
            other = found.setdefault(name, value)
            if other is not value:
                raise HandlersError(
                    f"handlers {spec!r}: two functions are called {name!r}: {place_of(other)} and "
                    f"{place_of(value)}; give one of them another name"
                )
    if not found:
        raise HandlersError(
            f'handlers {spec!r}: no handler is defined there; mark functions with @detent.task("name")'
        )
    return found


def load_function(spec: str, folder: Path) -> Callable[..., Any]:
    """The function that ``module:name`` or ``file.py:name`` names; a file's path is relative to ``folder``.

    Raises HandlersError, with the place, when there is none.
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise HandlersError(f"{spec!r} names no function: write it as module:function or file.py:function")
    module = _from_file(str(folder / place)) if _is_path(place) else _from_name(place)
    function = getattr(module, name, None)
    if not callable(function):
        raise HandlersError(f"{spec!r}: {place} has no function {name!r}")
    found: Callable[..., Any] = function
    return found


def _is_path(spec: str) -> bool:
    return spec.endswith(".py") or "/" in spec or os.sep in spec or (Path(spec) / DIRECTORY_FILE).is_file()


def _from_file(spec: str) -> ModuleType:
    path = Path(spec).absolute()
    if path.is_dir():
        path /= DIRECTORY_FILE
    if not path.is_file():
        raise HandlersError(f"handlers {spec!r}: there is no file {path}")
    # A name of its own: two files called handlers.py are two modules.
    name = f"detent_handlers_{zlib.crc32(os.fsencode(path)):08x}_{path.stem}"
    module_spec = importlib.util.spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise HandlersError(f"handlers {spec!r}: {path} is not a Python file; its name must end in .py")
    _search(path.parent)
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up
    try:
        module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _import_failed(spec, error) from error
    return module


def _from_name(spec: str) -> ModuleType:
    _search(Path.cwd())
    try:
        return importlib.import_module(spec)
    except ModuleNotFoundError as error:
        if error.name is not None and (spec == error.name or spec.startswith(f"{error.name}.")):
            raise HandlersError(
                f"handlers {spec!r}: there is no module {error.name!r} in {Path.cwd()} or on the Python path; "
                "for a file, give its path with the .py"
            ) from None
        raise _import_failed(spec, error) from error
    except (Exception, SystemExit) as error:
        raise _import_failed(spec, error) from error


def _search(folder: Path) -> None:
    """Let imports find what lies in the folder, for good: handlers may import late."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _import_failed(spec: str, error: BaseException) -> HandlersError:
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}: " if error.filename else ""
        return HandlersError(f"handlers {spec!r}: {place}syntax error: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    inside = [f for f in frames if "importlib" not in f.filename and f.filename != __file__] or frames
    place = f"{inside[-1].filename}:{inside[-1].lineno}"
    return HandlersError(
        f"handlers {spec!r}: {place}: {type(error).__name__} while it was imported: {message_of(error)}"
    )
