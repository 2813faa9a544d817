"""The Lambda functions behind the recordings, by what each was written to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detent.runtime.handlers.base import TaskError
from detent.runtime.handlers.registry import Registry


def functions_of(vector: dict[str, Any]) -> Registry:
    """A registry with the functions that a recording names."""
    registry = Registry()
    for name, what in (vector.get("mocks", {}).get("lambda") or {}).items():
        make = _BEHAVIOURS.get(what["behaviour"])
        if make is not None:
            registry.add(name, make(what))
    return registry


def _echo(what: dict[str, Any]) -> Callable[..., Any]:
    return lambda event: event


def _raise(what: dict[str, Any]) -> Callable[..., Any]:
    def fail(event: Any) -> Any:
        raise TaskError(what["errorType"], what["errorMessage"])

    return fail


def _raw(what: dict[str, Any]) -> Callable[..., Any]:
    import json

    return lambda event: json.loads(what["text"])


def _text_of_size(what: dict[str, Any]) -> Callable[..., Any]:
    return lambda event: "a" * what["bytes"]


def _prefixed(what: dict[str, Any]) -> Callable[..., Any]:
    return lambda event: f"{what['prefix']}{event}"


_BEHAVIOURS: dict[str, Callable[[dict[str, Any]], Callable[..., Any]]] = {
    "echo": _echo,
    "sleep_then_echo": _echo,
    "raise": _raise,
    "return_raw_bytes": _raw,
    "return_text_of_size": _text_of_size,
    "return_prefixed_python_str_of_event": _prefixed,
}
