"""Handlers that are Python functions: how they are marked, called, and how their outcome is read.

A handler is ``f(arguments)``, ``f(arguments, context)`` or ``f()``, sync or async. This module owns its
call and what becomes of its result or exception; where it runs is the business of ``workers``.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from ...core.values import JSON
from .base import Beat, NotBegun, TaskCall, TaskError
from .context import TaskContext
from .errors import HandlersError
from .payloads import NotJSON, cut, plain
from .workers import Workers

#: The error of a handler whose result is no JSON value.
INVALID_RESULT = "Task.InvalidResult"

_NAMES = "__detent_task_names__"

F = TypeVar("F", bound=Callable[..., Any])


def task(name: str) -> Callable[[F], F]:
    """Make a function the handler of ``Resource: task:NAME``, and of the Lambda function of that name.

    The function stays what it is and can be called as ever; it is found when its module is loaded. Its
    parameters are the task's arguments and, where it has a second one, one named ``context`` or one of
    type TaskContext, the context of the attempt. It answers a JSON value; an exception's class name is
    the error that retriers and catchers see, TaskError gives an exact one. Sync functions run in threads,
    async ones on a loop that all of them share.
    """
    if callable(name) or not name:
        raise TypeError('a handler needs the name of its task: write @task("name")')

    def mark(function: F) -> F:
        setattr(function, _NAMES, (*task_names(function), name))
        return function

    return mark


def task_names(value: object) -> tuple[str, ...]:
    """The names under which a function was marked with :func:`task`; empty for anything else."""
    try:
        names = inspect.getattr_static(value, _NAMES, ())
    except Exception:  # whatever stands in a module: a value of ours is never so strange
        return ()
    return names if isinstance(names, tuple) else ()


class Function:
    """A Python function and how it is called. Raises HandlersError if it cannot be a handler."""

    __slots__ = ("call", "is_async", "name", "place")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.place = place_of(function)
        self.is_async = _is_async(function)
        #: Called with arguments and context, whatever the function wants of them; an async one answers its coroutine.
        self.call = _calling(function, f"the handler {name!r} ({self.place})")


class PythonHandler:
    """Runs one function.

    ``context`` makes what the function may ask for, ``failure`` the task's error of what it raised.
    """

    def __init__(
        self,
        function: Function,
        workers: Workers,
        context: Callable[[TaskCall, Beat], TaskContext] = TaskContext,
        failure: Callable[[BaseException, TaskContext], TaskError] | None = None,
    ) -> None:
        self._function = function
        self._workers = workers
        self._context = context
        self._failure = failure or failure_of
        self.slots = None if function.is_async else workers.slots

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        context = self._context(task, beat)
        return await self._workers.run(_Call(self._function, task, context, self._failure))


class _Call:
    """One call of a function. The result is copied: what the function keeps of it, it may change."""

    __slots__ = ("_context", "_failure", "_function", "_task", "is_async")

    def __init__(
        self,
        function: Function,
        task: TaskCall,
        context: TaskContext,
        failure: Callable[[BaseException, TaskContext], TaskError],
    ) -> None:
        self.is_async = function.is_async
        self._function = function
        self._task = task
        self._context = context
        self._failure = failure

    def run(self) -> JSON:
        self._look()
        # BaseException: sys.exit() in a handler is that task's failure, not the engine's end.
        process = os.getpid()
        try:
            return plain(self._function.call(self._task.arguments, self._context))
        except BaseException as error:
            raise self._failed(error) from None
        finally:
            _end_if_forked(process)

    async def run_async(self) -> JSON:
        self._look()
        try:
            return plain(await self._function.call(self._task.arguments, self._context))
        except GeneratorExit:
            raise
        except BaseException as error:
            raise self._failed(error) from None

    def _look(self) -> None:
        # On the way from the engine's loop time may have passed: in a process that stood still, much.
        if not self._task.may_begin():
            raise NotBegun

    def cancel(self) -> None:
        self._context.cancelled = True

    def _failed(self, error: BaseException) -> TaskError:
        if isinstance(error, NotJSON):
            cause = (
                f"The handler {self._function.name!r} ({self._function.place}) returned {error}. "
                "A result holds only dict, list, tuple, str, int, float, bool and None."
            )
            error = TaskError(INVALID_RESULT, cause)
        elif not isinstance(error, TaskError) and not self._context.cancelled:
            trace = (type(error), error, own_trace(error))
            self._context.logger.warning(
                "the handler %r raised %s", self._function.name, type(error).__name__, exc_info=trace
            )
        return self._failure(error, self._context)


def _end_if_forked(process: int) -> None:
    """A child that a handler forked and that comes back ends here: there is one engine, in one process."""
    if os.getpid() != process:
        os._exit(0)


def failure_of(error: BaseException, context: TaskContext) -> TaskError:
    """The task's error of what a handler raised: the class name and the message. A TaskError is exact."""
    if isinstance(error, TaskError):
        cause = error.cause
        return TaskError(str(error.error), None if cause is None else cut(str(cause)))
    return TaskError(type(error).__name__, cut(message_of(error)))


def message_of(error: BaseException) -> str:
    """The message of an exception, even of one that cannot be printed."""
    try:
        return str(error)
    except Exception:
        return f"({type(error).__name__} has no readable message)"


def own_trace(error: BaseException) -> TracebackType | None:
    """The traceback of what a handler raised, from the handler's own first frame on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


def place_of(function: object) -> str:
    """Where a function is written, as ``file:line``; its own name if it has no source."""
    code = getattr(inspect.unwrap(function) if callable(function) else function, "__code__", None)
    return repr(function) if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # an object with an async __call__, not a test
    )


def _calling(function: Callable[..., Any], who: str) -> Callable[[JSON, TaskContext], Any]:
    """The function with its parameters settled once: (arguments, context) in, whatever it wants of them out."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise HandlersError(f"{who} yields: a handler returns its one result")
    needed = _parameters(function, who)
    contexts = [parameter for parameter in needed if _wants_context(parameter)]
    others = [parameter for parameter in needed if parameter not in contexts]
    if len(others) == 2 and not contexts:
        contexts.append(others.pop())  # handler(event, _): the second is the context, whatever its name
    if len(others) > 1 or len(contexts) > 1:
        raise HandlersError(
            f"{who} needs {len(needed)} parameters: write it as f(arguments) or f(arguments, context)"
        )
    if not contexts:
        return (lambda arguments, context: function(arguments)) if others else lambda *_: function()
    wanted = contexts[0]
    if wanted.kind is inspect.Parameter.KEYWORD_ONLY:
        keyword = wanted.name
        if others:
            return lambda arguments, context: function(arguments, **{keyword: context})
        return lambda arguments, context: function(**{keyword: context})
    if not others:
        return lambda arguments, context: function(context)
    if needed.index(wanted) == 0:
        return lambda arguments, context: function(context, arguments)
    return function


def _parameters(function: Callable[..., Any], who: str) -> list[inspect.Parameter]:
    """The parameters to fill: those without a default, the first one, and any that wants the context."""
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # an annotation that exists for type checkers only
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise HandlersError(f"{who} cannot be called: {error}") from None
    variable = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    every = list(signature.parameters.values())
    if every and every[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return [every[0]]
    return [
        parameter
        for index, parameter in enumerate(every)
        if parameter.kind not in variable
        and (
            parameter.default is parameter.empty
            or _wants_context(parameter)
            or (index == 0 and parameter.kind is not parameter.KEYWORD_ONLY)
        )
    ]


def _wants_context(parameter: inspect.Parameter) -> bool:
    annotation = parameter.annotation
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2] == TaskContext.__name__
    if isinstance(annotation, type) and issubclass(annotation, TaskContext):
        return True
    return parameter.name == "context" and annotation in (parameter.empty, Any, object)
