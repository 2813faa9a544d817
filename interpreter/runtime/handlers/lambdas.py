"""Lambda functions: their names, what calling one answers, how one fails (resources, section 4).

The function itself is a Python handler registered under the function's name, which runs here. One that is not
registered is called at the endpoint, if there is one.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from ...core.errors import RUNTIME
from ...core.values import JSON, encode
from .base import Beat, Handler, TaskCall, TaskError
from .context import TaskContext
from .invocation import Invocation
from .metadata import refused, request_id, sdk_metadata
from .payloads import cut, parse
from .python import INVALID_RESULT, message_of, own_trace

if TYPE_CHECKING:
    from .lambda_endpoint import LambdaEndpoint

#: A function's name, or its ARN from ``function:`` or from the account on, each with a qualifier or without.
_FUNCTION = re.compile(
    r"^(?:(?:arn:[^:]+:lambda:[^:]*:)?(?:[^:]*:)?function:)?(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[^:]+))?$"
)
_ARN = re.compile(r"^arn:[^:]+:lambda:[^:]*:[^:]*:function:[^:]+(?::[^:]+)?$")

#: What the runtime calls a result that is no JSON.
_MARSHAL_ERROR = "Runtime.MarshalError"


def is_function_arn(resource: str) -> bool:
    """Whether a Resource is the ARN of a Lambda function."""
    return _ARN.match(resource) is not None


def function_name(reference: str) -> str | None:
    """The name in a FunctionName or function ARN; None if it is neither."""
    match = _FUNCTION.match(reference)
    return None if match is None else match["name"]


class LambdaContext(TaskContext):
    """The context of a function called as a Lambda function: what detent offers, and what the runtime does."""

    memory_limit_in_mb = "128"
    function_version = "$LATEST"

    @property
    def function_name(self) -> str:
        return function_name(self._task.resource) or self._task.resource

    @property
    def invoked_function_arn(self) -> str:
        return self._task.resource

    @property
    def aws_request_id(self) -> str:
        """The same whenever this attempt is run again."""
        return request_id(self._task)

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the attempt runs out of time; fifteen minutes, the service's most, if it never does."""
        deadline = self._task.deadline
        return 900_000 if deadline is None else max(0, deadline - time.time_ns() // 1_000_000)


def _nowhere() -> None:
    """There is no endpoint."""


class FunctionHandler:
    """A Task whose Resource is a function's ARN: the arguments are the event, the result is the payload."""

    def __init__(
        self,
        find: Callable[[str], Handler | None],
        slots: asyncio.Semaphore,
        elsewhere: Callable[[], LambdaEndpoint | None] = _nowhere,
    ) -> None:
        self.slots = slots
        self._find = find
        self._elsewhere = elsewhere

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        function = self._find(function_name(task.resource) or "")
        if function is not None:
            return await function.run(task, beat)
        endpoint = self._elsewhere()
        if endpoint is None:
            raise _not_found(task.resource, task)
        return await endpoint.payload(task, Invocation(task.resource, encode(task.arguments)))


class InvokeHandler:
    """A Task of ``lambda:invoke``, waiting for a token or not: the arguments name the function and its payload."""

    def __init__(
        self,
        find: Callable[[str], Handler | None],
        slots: asyncio.Semaphore,
        elsewhere: Callable[[], LambdaEndpoint | None] = _nowhere,
    ) -> None:
        self.slots = slots
        self._find = find
        self._elsewhere = elsewhere

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        reference = _reference(task)
        function = self._find(function_name(reference) or "")
        if function is None:
            endpoint = self._elsewhere()
            if endpoint is None:
                raise _not_found(reference, task)
            return await endpoint.answer(task, _sent(reference, task.arguments))
        payload = _payload(task)
        try:
            result = await function.run(replace(task, resource=reference, arguments=payload), beat)
        except TaskError as error:
            raise TaskError(error.error, _compact(error.cause)) from None
        return _answer(result, task)


def lambda_failure(error: BaseException, context: TaskContext) -> TaskError:
    """The task's error of what a function raised: its class, and as cause the error object the runtime writes."""
    if isinstance(error, TaskError) and error.error != INVALID_RESULT:
        return TaskError(str(error.error), None if error.cause is None else cut(str(error.cause)))
    if isinstance(error, TaskError):
        name, message, stack = _MARSHAL_ERROR, error.cause or "", []
    else:
        name, message = type(error).__name__, message_of(error)
        stack = traceback.format_tb(own_trace(error))
    report = {
        "errorMessage": message,
        "errorType": name,
        "requestId": getattr(context, "aws_request_id", ""),
        "stackTrace": stack,
    }
    return TaskError(name, cut(json.dumps(report, ensure_ascii=False)))


def _reference(task: TaskCall) -> str:
    """The function that the arguments of lambda:invoke name."""
    arguments = task.arguments
    reference = arguments.get("FunctionName") if isinstance(arguments, Mapping) else None
    if not isinstance(reference, str):
        raise TaskError(RUNTIME, "The field 'FunctionName' is required but was missing, or is no text")
    return reference


def _sent(reference: str, arguments: JSON) -> Invocation:
    """The call of an endpoint that the arguments of lambda:invoke ask for. A text is the raw body."""
    payload = arguments.get("Payload")
    if isinstance(payload, str):
        body = payload.encode("utf-8", "surrogatepass")
    else:
        body = encode({} if payload is None else payload)
    return Invocation(
        reference,
        body,
        arguments.get("InvocationType", "RequestResponse"),
        arguments.get("Qualifier"),
        arguments.get("LogType"),
        arguments.get("ClientContext"),
    )


def _payload(task: TaskCall) -> JSON:
    """The event that the arguments of lambda:invoke ask for, for a function that runs here."""
    arguments = task.arguments
    kind = arguments.get("InvocationType", "RequestResponse")
    if kind != "RequestResponse":
        raise TaskError(
            "Lambda.InvalidParameterValueException",
            f"InvocationType {kind!r} is not supported: only RequestResponse is",
        )
    payload = arguments.get("Payload")
    if isinstance(payload, str):  # a text is the raw body of the request
        try:
            payload = parse(payload.encode("utf-8", "surrogatepass"))
        except ValueError as error:
            raise TaskError(
                "Lambda.InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        return payload
    return {} if payload is None else payload


def _answer(payload: JSON, task: TaskCall) -> JSON:
    """What the service answers to a call that succeeded."""
    identity = request_id(task)
    trace = identity.replace("-", "")
    headers = {
        "X-Amz-Executed-Version": "$LATEST",
        "x-amzn-Remapped-Content-Length": "0",
        "Connection": "keep-alive",
        "x-amzn-RequestId": identity,
        "Content-Length": str(len(encode(payload))),
        "Date": formatdate(usegmt=True),
        "X-Amzn-Trace-Id": f"Root=1-{trace[:8]}-{trace[8:]};Parent={trace[:16]};Sampled=0",
        "Content-Type": "application/json",
    }
    return {
        "ExecutedVersion": "$LATEST",
        "Payload": payload,
        **sdk_metadata(headers, identity),
        "StatusCode": 200,
    }


def _compact(cause: str | None) -> str | None:
    """lambda:invoke writes the error object without blanks; a function's own ARN keeps the runtime's."""
    if cause is None:
        return None
    try:
        return encode(parse(cause.encode())).decode()
    except ValueError:
        return cause


def _not_found(reference: str, task: TaskCall) -> TaskError:
    arn = reference if _ARN.match(reference) else _arn_of(reference, task.execution)
    version = arn if arn.count(":") > 6 else f"{arn}:$LATEST"
    message = f"Function not found: {version}"
    cause = refused("AWSLambda", "ResourceNotFoundException", message, request_id(task), status=404)
    return TaskError("Lambda.ResourceNotFoundException", cause)


def _arn_of(name: str, execution: str) -> str:
    """The ARN of a function that was called by its name: where the execution is."""
    name = name.rpartition("function:")[2]
    parts = execution.split(":")
    if len(parts) < 6:
        return f"function:{name}"
    return f"{parts[0]}:{parts[1]}:lambda:{parts[3]}:{parts[4]}:function:{name}"
