"""Which handler does the work behind a Resource, and why one has none.

The form of a resource decides: ``task:NAME``, a Lambda function, ``http(s)://...``, ``exec:...``. Each
form owns its module; this one owns the names of functions and the one set of workers and connections
that all tasks share.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ...core.parameters import connection_name, connection_of
from ...core.resources import integration, is_activity, signal_name, starts_execution
from ...core.values import JSON
from .aws import ENDPOINT, AwsHandler, AwsServices
from .aws_names import service_call
from .base import Handler
from .connections import Target, connection_named, target_of
from .errors import HandlersError
from .guards import ANY, EVERYTHING, Guards
from .invocation import endpoint_of
from .lambdas import (
    FunctionHandler,
    InvokeHandler,
    LambdaContext,
    function_name,
    is_function_arn,
    lambda_failure,
)
from .process import EXEC, ProcessHandler, argv_of, is_missing
from .python import Function, PythonHandler
from .workers import THREADS, Workers

if TYPE_CHECKING:
    from .http import HttpClient
    from .lambda_endpoint import LambdaEndpoint

TASK = "task:"
HTTP = ("http://", "https://")
HTTP_INVOKE = ("http", "invoke")
_HTTP_INVOKE_PATTERN = "arn:*:states:*:*:http:invoke"
_INVOKE = (("lambda", "invoke"), ("lambda", "invoke.waitForTaskToken"))


class Registry:
    """The handlers of one engine. ``threads`` bounds how many sync functions run at once."""

    def __init__(
        self,
        *,
        guards: Guards = EVERYTHING,
        threads: int = THREADS,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.guards = guards
        self._environment = environment
        self._workers = Workers(threads)
        self._services = AwsServices(environment)
        self._functions: dict[str, Function] = {}
        self._handlers: dict[str, Handler] = {}
        self._lambdas: dict[str, Handler] = {}
        self._function_arn = FunctionHandler(self._lambdas.get, self._workers.slots, self._endpoint)
        self._invoke = InvokeHandler(self._lambdas.get, self._workers.slots, self._endpoint)
        self._http: HttpClient | None = None
        self._lambda_client: HttpClient | None = None

    def add(self, name: str, function: Callable[..., Any]) -> None:
        """Let a function handle ``task:NAME`` and the Lambda function of that name.

        Raises HandlersError if the name is taken by another function, or the function cannot be a handler.
        """
        new = Function(name, function)
        other = self._functions.get(name)
        if other is not None:
            raise HandlersError(
                f"two handlers are called {name!r}: {other.place} and {new.place}; give one another name"
            )
        self._functions[name] = new
        self._handlers[TASK + name] = PythonHandler(new, self._workers)
        self._lambdas[name] = PythonHandler(new, self._workers, LambdaContext, lambda_failure)

    @property
    def names(self) -> list[str]:
        """The names of the registered functions, sorted."""
        return sorted(self._functions)

    @property
    def offers(self) -> list[str]:
        """Patterns of the resources that are handled, a Lambda function as ``function:NAME``."""
        functions = [kind + name for name in self.names for kind in (TASK, "function:")]
        return [
            *functions,
            *(f"{scheme}*" for scheme in HTTP),
            _HTTP_INVOKE_PATTERN,
            *self._services.patterns,
            *(f"{EXEC}{words}" for name in sorted(self.guards.programs) for words in _commands(name)),
        ]

    def resolve(self, resource: str) -> Handler | None:
        """The handler of a resource; None if nobody can do it (:meth:`refusal` says why).

        The resource alone decides, whatever the task's arguments. A missing Lambda function has a handler,
        too: it fails as the service does, when it is called.
        """
        handler = self._handlers.get(resource)
        if handler is None:
            handler = self._make(resource)
            if handler is not None:
                self._handlers[resource] = handler
        return handler

    def handler(self, resource: str) -> Handler | None:
        """As :meth:`resolve`. Raises HandlersError where there is something to say about why nobody can do it."""
        handler = self.resolve(resource)
        if handler is None and (why := self.refusal(resource)) is not None:
            raise HandlersError(why)
        return handler

    def _make(self, resource: str) -> Handler | None:
        if is_function_arn(resource):
            return self._function_arn
        if integration(resource) in _INVOKE:
            return self._invoke
        if integration(resource) == HTTP_INVOKE:
            from .http_invoke import HttpInvokeHandler  # as in _http_client

            return HttpInvokeHandler(self._http_client(), self._environment)
        call = service_call(resource)
        if call is not None and self._services.reaches(call.service):
            return AwsHandler(call, self._services, self._workers)
        try:
            if resource.startswith(HTTP):
                return self._make_http(target_of(resource, self._environment))
            if resource.startswith(EXEC) and self.guards.starts((argv := argv_of(resource))[0]):
                return ProcessHandler(argv, self._environment)
        except HandlersError:
            return None
        return None

    def _endpoint(self) -> LambdaEndpoint | None:
        """Where functions are called that are not registered. Who runs detent has named it, so no guard forbids it."""
        url = endpoint_of(self._environment)
        if url is None:
            return None
        from .http import HttpClient  # as below
        from .lambda_endpoint import LambdaEndpoint

        if self._lambda_client is None:
            self._lambda_client = HttpClient(EVERYTHING)
        return LambdaEndpoint(url, self._lambda_client)

    def _make_http(self, target: Target) -> Handler:
        from .http import HttpHandler  # as below

        return HttpHandler(target, self._http_client())

    def _http_client(self) -> HttpClient:
        from .http import HttpClient  # aiohttp is a slow import, and most workflows need none

        if self._http is None:
            self._http = HttpClient(self.guards)
        return self._http

    def refusal(self, resource: str, arguments: JSON = None) -> str | None:
        """Why nobody handles a resource and how to mend it; None if somebody does.

        ``arguments`` are the task's, as far as they are known before it runs: with them a Lambda function
        that ``lambda:invoke`` names can be looked up.
        """
        if resource.startswith(TASK):
            return self._missing(resource.removeprefix(TASK), "handler")
        if resource.startswith((*HTTP, EXEC)):
            return self._unfit(resource)
        if is_function_arn(resource):
            return self._missing_function(resource)
        found = integration(resource)
        if is_activity(resource) or starts_execution(resource) or signal_name(resource):
            return None  # the engine itself sees to them
        if found in _INVOKE:
            named = arguments.get("FunctionName") if isinstance(arguments, Mapping) else None
            if not isinstance(named, str):
                return None
            return self._missing_function(named)
        if found == HTTP_INVOKE:
            return self._missing_connection(arguments)
        call = service_call(resource)
        if call is not None:
            return None if self._services.reaches(call.service) else _NO_SERVICES
        return _not_ours(resource, found)

    async def close(self) -> None:
        """End what runs and close what is open. Sync functions that still run are left behind."""
        await self._workers.close()
        for client in (self._http, self._lambda_client):
            if client is not None:
                await client.close()

    def _unfit(self, resource: str) -> str | None:
        """What is wrong with the text of a URL or a command, or with what it needs."""
        try:
            if resource.startswith(HTTP):
                target_of(resource, self._environment)
                return None
            program = argv_of(resource)[0]
        except HandlersError as error:
            return str(error)
        if not self.guards.starts(program):
            return f"programs such as {program!r} are not started here: allow it with --allow-exec {program}"
        if is_missing(program, self._environment):
            return f"there is no program {program!r}: install it, or give its path"
        return None

    def _missing_connection(self, parameters: JSON) -> str | None:
        """Why the connection that http:invoke names cannot be used."""
        name = connection_name(connection_of(parameters)) if isinstance(parameters, Mapping) else None
        try:
            if name is not None:
                connection_named(name, self._environment)
        except HandlersError as error:
            return str(error)
        return None

    def _missing_function(self, reference: str) -> str | None:
        if endpoint_of(self._environment) is not None:
            return None  # it may be there
        return self._missing(function_name(reference) or reference, "Lambda function")

    def _missing(self, name: str, kind: str) -> str | None:
        if name in self._functions:
            return None
        close = get_close_matches(name, self._functions, n=1)
        if close:
            return f"no {kind} is called {name!r}: did you mean {close[0]!r}?"
        return (
            f'no {kind} is called {name!r}: mark a function with @detent.task("{name}") '
            "and name its file with --handlers"
        )


#: Why no service of AWS is called.
_NO_SERVICES = (
    f"AWS services are called where the environment names an endpoint ({ENDPOINT}, or {ENDPOINT}_SQS for one of them) "
    "and with the extra aws: pip install 'detent[aws]'"
)


def _commands(program: str) -> tuple[str, ...]:
    """Patterns of what starts a program."""
    return (program,) if program == ANY else (program, f"{program} *")


def _not_ours(resource: str, found: tuple[str, str] | None) -> str:
    """What is to be said of a resource of no form that is handled here."""
    instead = "name a resource that is: task:NAME, signal:NAME, a Lambda function, http(s)://... or exec:..."
    if found is not None:
        return f"the integration {found[0]}:{found[1]} is not handled yet; {instead}"
    return f"this is no resource that is handled; {instead}"
