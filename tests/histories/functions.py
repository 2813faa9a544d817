"""The Lambda functions behind the recordings, by what each was written to do."""

from __future__ import annotations

import asyncio
import json
import linecache
from collections.abc import Callable
from typing import Any

from detent.core.resources import integration
from detent.runtime.handlers.base import Beat, Handler, TaskCall
from detent.runtime.handlers.lambdas import FunctionHandler, InvokeHandler, LambdaContext, lambda_failure

#: Where the service keeps the code of a function.
_DEPLOYED = "/var/task/handler.py"

Function = Callable[[Any], Any]


class Functions:
    """The functions that a recording names; they run at once, without a thread."""

    def __init__(self, vector: dict[str, Any]) -> None:
        named = vector.get("mocks", {}).get("lambda") or {}
        self._functions = {
            name: _Direct(_BEHAVIOURS[what["behaviour"]](what))
            for name, what in named.items()
            if what["behaviour"] in _BEHAVIOURS
        }

    def resolve(self, resource: str) -> Handler | None:
        """Who calls them for a resource."""
        slots = asyncio.Semaphore(100)
        if ":lambda:" in resource and integration(resource) is None:
            return FunctionHandler(self._functions.get, slots)
        if (integration(resource) or ("", ""))[0] == "lambda":
            return InvokeHandler(self._functions.get, slots)
        return None


class _Direct:
    slots = None

    def __init__(self, function: Function) -> None:
        self._function = function

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        try:
            return self._function(task.arguments)
        except Exception as error:
            while error.__traceback__ and error.__traceback__.tb_frame.f_code.co_filename == __file__:
                error.__traceback__ = error.__traceback__.tb_next
            raise lambda_failure(error, LambdaContext(task, beat)) from None


def _echo(what: dict[str, Any]) -> Function:
    return lambda event: event


def _raise(what: dict[str, Any]) -> Function:
    """As the function was deployed, so that its stack says where it failed."""
    raised = f"raise {what['errorType']}({json.dumps(what['errorMessage'])})"
    source = f"def handler(event, context):\n    {raised}\n"
    linecache.cache[_DEPLOYED] = (len(source), None, source.splitlines(keepends=True), _DEPLOYED)
    names = {"CustomException": type("CustomException", (Exception,), {})}
    exec(compile(source, _DEPLOYED, "exec"), names)  # the text is the line above
    handler: Any = names["handler"]
    return lambda event: handler(event, None)


def _raw(what: dict[str, Any]) -> Function:
    return lambda event: json.loads(what["text"])


def _text_of_size(what: dict[str, Any]) -> Function:
    return lambda event: "a" * what["bytes"]


def _prefixed(what: dict[str, Any]) -> Function:
    return lambda event: f"{what['prefix']}{event}"


_BEHAVIOURS: dict[str, Callable[[dict[str, Any]], Function]] = {
    "echo": _echo,
    "sleep_then_echo": _echo,
    "raise": _raise,
    "return_raw_bytes": _raw,
    "return_text_of_size": _text_of_size,
    "return_prefixed_python_str_of_event": _prefixed,
}
