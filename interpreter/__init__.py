"""detent: state machines in the Amazon States Language, durable on your own machine.

This is the public face for people who write handlers. What is not named here may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runtime.handlers.base import TaskError
    from .runtime.handlers.context import TaskContext
    from .runtime.handlers.python import task

__all__ = ["TaskContext", "TaskError", "task"]

_HOMES = {
    "TaskContext": "detent.runtime.handlers.context",
    "TaskError": "detent.runtime.handlers.base",
    "task": "detent.runtime.handlers.python",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: the command line starts without the runtime."""
    if name not in _HOMES:
        raise AttributeError(f"module 'detent' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
