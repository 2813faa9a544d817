"""Calls of AWS services, made by botocore, which comes with the extra ``aws`` (resources, section 4).

A service is called where the environment names an endpoint for it (``AWS_ENDPOINT_URL_SQS``, or
``AWS_ENDPOINT_URL`` for all): the service's own, or an emulator's. Region and credentials are configured as for
every tool of AWS; without credentials requests are not signed. Each attempt is one request: who wants another
writes a retrier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.util import find_spec
from threading import Lock
from typing import Any

from ...core.errors import RUNTIME
from ...core.values import JSON, encode
from .aws_names import ServiceCall, in_library, own_name, patterns_of
from .aws_shapes import Unfit, call_of, result_of
from .base import Beat, TaskCall, TaskError
from .metadata import request_id, sdk_metadata
from .payloads import cut
from .workers import Workers

#: Where the endpoint of every service is named; that of one service, with its name behind.
ENDPOINT = "AWS_ENDPOINT_URL"
EXTRA = "botocore"

_REGION = "us-east-1"
#: Seconds until a connection stands, and until an answer begins.
_CONNECT_SECONDS, _READ_SECONDS = 10, 60


class NoService(Exception):
    """A call that cannot be made; the message says why."""


class AwsServices:
    """The clients of the services that tasks call, made when they are first needed.

    ``environment`` names the endpoints.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        variables = {name: url for name, url in environment.items() if name.startswith(ENDPOINT) and url}
        #: The endpoint of services that have none of their own, and those of the others.
        self._anywhere = variables.pop(ENDPOINT, None)
        self._endpoints = {_service_of(name): url for name, url in variables.items()}
        self._lock = Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    @property
    def patterns(self) -> list[str]:
        """Patterns of the resources that can be called."""
        if find_spec(EXTRA) is None:
            return []
        return patterns_of(None if self._anywhere else self._endpoints)

    def reaches(self, service: str) -> bool:
        """Whether a service, by its name in a resource, can be called."""
        return find_spec(EXTRA) is not None and self._endpoint(service) is not None

    def _endpoint(self, service: str) -> str | None:
        return self._endpoints.get(own_name(service), self._anywhere)

    def client(self, service: str) -> Any:
        """The client of a service, by its name in a resource. Raises NoService."""
        with self._lock:
            found = self._clients.get(service)
            if found is None:
                found = self._clients[service] = self._connect(service)
            return found

    def _connect(self, service: str) -> Any:
        import botocore.session  # type: ignore[import-untyped]
        from botocore import UNSIGNED
        from botocore.config import Config  # type: ignore[import-untyped]

        if self._session is None:
            self._session = botocore.session.get_session()
        session = self._session
        name = in_library(service, session.get_available_services())
        if name is None:
            raise NoService(f"there is no service {service!r}")
        signed = session.get_credentials() is not None
        config = Config(
            signature_version=None if signed else UNSIGNED,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 1},
            inject_host_prefix=False,
            s3={"addressing_style": "path"},
        )
        region = session.get_config_variable("region") or _REGION
        return session.create_client(
            name, region_name=region, endpoint_url=self._endpoint(service), config=config
        )


def _service_of(variable: str) -> str:
    """The service whose endpoint a variable names, as it calls itself, in lower case and without blanks."""
    return variable.removeprefix(f"{ENDPOINT}_").replace("_", "").lower()


class AwsHandler:
    """Makes one call of a service for each attempt."""

    def __init__(self, call: ServiceCall, services: AwsServices, workers: Workers) -> None:
        self._call = call
        self._services = services
        self._workers = workers

    @property
    def slots(self) -> asyncio.Semaphore:
        return self._workers.slots

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        return await self._workers.run(_Request(self._call, self._services, task))


class _Request:
    """One request, made in a thread."""

    is_async = False

    def __init__(self, call: ServiceCall, services: AwsServices, task: TaskCall) -> None:
        self._call = call
        self._services = services
        self._task = task

    def run(self) -> JSON:
        from botocore.exceptions import (  # type: ignore[import-untyped]
            BotoCoreError,
            ClientError,
            ParamValidationError,
        )

        call = self._call
        try:
            client = self._services.client(call.service)
            model = client.meta.service_model
            if call.operation not in model.operation_names:
                raise NoService(f"{model.metadata['serviceId']} has no operation {call.operation!r}")
        except NoService as error:
            raise TaskError(
                RUNTIME, f"The resource {self._task.resource} cannot be called: {error}"
            ) from None
        operation = model.operation_model(call.operation)
        own = model.metadata["serviceId"]
        try:
            answer = client._make_api_call(call.operation, self._parameters(operation))
        except ClientError as error:
            raise self._refusal(model, error.response) from None
        except ParamValidationError as error:
            raise self._unfit(" ".join(str(error).split())) from None
        except BotoCoreError as error:
            said = f"Unable to execute HTTP request: {error}"
            raise TaskError(f"{call.prefix(own)}.SdkClientException", cut(said)) from None
        return self._result(operation.output_shape, answer)

    async def run_async(self) -> JSON:
        return self.run()

    def cancel(self) -> None:
        """What has been asked for cannot be taken back."""

    def _parameters(self, operation: Any) -> dict[str, Any]:
        given, shape = self._task.arguments, operation.input_shape
        if not isinstance(given, Mapping):
            raise self._unfit("The parameters must be an object")
        try:
            parameters: dict[str, Any] = {} if shape is None else call_of(shape, given)
        except Unfit as error:
            raise self._unfit(f"The field '{error.field}' is not supported by Step Functions") from None
        for name in operation.idempotent_members:  # or the SDK would make another one each time
            parameters.setdefault(name, request_id(self._task))
        return parameters

    def _unfit(self, reason: str) -> TaskError:
        given = encode(self._task.arguments).decode()
        return TaskError(
            RUNTIME, cut(f"The Parameters '{given}' could not be used to start the Task: [{reason}]")
        )

    def _result(self, shape: Any, answer: Mapping[str, Any]) -> JSON:
        result: Any = {} if shape is None else result_of(shape, answer)
        if result.get("FailedEntryCount") and self._call.service == "events":
            raise TaskError("EventBridge.FailedEntry", cut(encode(result).decode()))
        if self._call.has_metadata:
            told = answer["ResponseMetadata"]
            result |= sdk_metadata(told.get("HTTPHeaders", {}), told.get("RequestId", ""))
        return result

    def _refusal(self, model: Any, response: Mapping[str, Any]) -> TaskError:
        """The error of a call that the service refused."""
        own: str = model.metadata["serviceId"]
        error, told = response.get("Error", {}), response.get("ResponseMetadata", {})
        code = str(error.get("Code", ""))
        shape = model.shape_for_error_code(code)
        ids = {"Request ID": told.get("RequestId"), "Extended Request ID": told.get("HostId")}
        cause = self._call.cause(
            own,
            str(error.get("Message", "")),
            code,
            told.get("HTTPStatusCode", 400),
            {name: value for name, value in ids.items() if value},
        )
        return TaskError(self._call.error(own, shape and shape.name), cut(cause))
