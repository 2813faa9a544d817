"""Which operation a request means."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from aiohttp import web

from detent.core.errors import DetentError
from detent.store.base import StoreUnavailable

from ..exchange import Exchange
from ..refusals import Refused
from .operation import Call, Operation

log = logging.getLogger(__name__)

#: The status of an answer to what detent itself refuses, by the code of its error.
STATUS_OF_CODE: Mapping[str, int] = {
    "ACTIVITY_EXISTS": 409,
    "ALIAS_EXISTS": 409,
    "AMBIGUOUS_STATE": 400,
    "COMPILE": 400,
    "EXECUTION_EXISTS": 409,
    "EXECUTION_TAKEN": 409,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "INVALID_OUTPUT": 400,
    "INVALID_TOKEN": 404,
    "MACHINE_DELETING": 409,
    "MACHINE_EXISTS": 409,
    "NOT_FOUND": 404,
    "NOT_PAUSED": 409,
    "NOT_REDRIVABLE": 409,
    "NOT_RUNNING": 409,
    "NOT_SUPPORTED": 400,
    "REQUEST_AT_WORK": 409,
    "REVISION_STALE": 412,
    "SEARCH_ATTRIBUTE": 400,
    "STILL_RUNNING": 409,
    "TASK_CLOSED": 409,
    "TOO_MANY": 409,
    "UNKNOWN_SIGNAL": 400,
    "VERSION_DEPRECATED": 409,
    "VERSION_IN_USE": 409,
}


class Routes:
    """Finds operations by method and path. A path is taken apart before it is decoded: an id is never one."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        parts = tuple(operation.path.split("/")[1:])
        known = self._by_length.setdefault(len(parts), [])
        methods = next((methods for others, methods in known if others == parts), None)
        if methods is None:
            methods = {}
            known.append((parts, methods))
            # Words before names: /machines/validate is no machine.
            known.sort(key=lambda each: [part.startswith("{") for part in each[0]])
        methods[operation.method] = operation

    def find(self, method: str, raw_path: str) -> tuple[Operation, Mapping[str, str]]:
        """The operation, and the parts of the path. Raises Refused."""
        given = raw_path.split("/")[1:]
        for parts, methods in self._by_length.get(len(given), ()):
            params = _match(parts, given)
            if params is None:
                continue
            operation = methods.get("GET" if method == "HEAD" else method)
            if operation is None:
                allowed = ", ".join(sorted({*methods, "HEAD"} if "GET" in methods else methods))
                raise Refused(
                    405, "method-not-allowed", f"{allowed} and nothing else", headers={"Allow": allowed}
                )
            return operation, params
        raise Refused(404, "not-found", f"there is nothing at {raw_path[:200]}; /docs shows what there is")

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer a request. Raises Refused, StoreUnavailable."""
        request = exchange.request
        operation, params = self.find(request.method, request.rel_url.raw_path)
        try:
            return await operation.answer(Call(exchange, params))
        except StoreUnavailable:
            raise
        except DetentError as error:
            status = STATUS_OF_CODE.get(error.code)
            if status is None:
                raise
            raise Refused(status, error.code.lower().replace("_", "-"), str(error)) from None


def _match(parts: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    params = {}
    for part, raw in zip(parts, given, strict=True):
        if part.startswith("{"):
            if not raw:
                return None
            params[part[1:-1]] = unquote(raw, errors="replace")
        elif part != raw:
            return None
    return params
