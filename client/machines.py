"""What the client does with state machines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from .connection import Answer, Connection
from .shapes import Judgement, Machine, MachineSummary, Shape, Tried, Version

JSON = Any
Type = Literal["STANDARD", "EXPRESS"]

PAGE = 100


class _MachinePage(Shape):
    machines: list[MachineSummary]
    next: str | None


class _Versions(Shape):
    versions: list[Version]


class AsyncMachines:
    """The part of :class:`.asynchronous.AsyncClient` that is about state machines."""

    _connection: Connection

    async def create_machine(
        self,
        name: str,
        definition: JSON,
        *,
        type: Literal["STANDARD", "EXPRESS"] = "STANDARD",
        tags: Mapping[str, str] | None = None,
        search_attributes: Mapping[str, str] | None = None,
    ) -> Machine:
        """Create a state machine of an object, or of a text in JSON or YAML. The same one again changes nothing.

        ``search_attributes`` are what its executions are found by: names, with paths such as ``$.input.customer.id``.
        """
        body = {"name": name, "definition": definition, "type": type, "tags": dict(tags or {})}
        if search_attributes is not None:
            body["searchAttributes"] = dict(search_attributes)
        return _machine(await self._connection.ask("POST", "/v1/machines", body=body))

    async def machine(self, machine: str) -> Machine:
        """Look at a machine."""
        return _machine(await self._connection.ask("GET", _machine_path(machine)))

    async def machines(self) -> AsyncIterator[MachineSummary]:
        """Every machine, the oldest first."""
        cursor: str | None = None
        while True:
            query = {"limit": PAGE, "cursor": cursor}
            page = (await self._connection.ask("GET", "/v1/machines", query=query)).read(_MachinePage)
            for machine in page.machines:
                yield machine
            if (cursor := page.next) is None:
                return

    async def update_machine(
        self,
        machine: str,
        definition: JSON | msgspec.UnsetType = msgspec.UNSET,
        *,
        etag: str | None = None,
        search_attributes: Mapping[str, str] | None = None,
    ) -> Machine:
        """Give a machine another definition, other search attributes, or both; what is left out stays.

        With an ``etag`` only if it still has the definition that it stands for.
        """
        headers = {} if etag is None else {"If-Match": etag}
        path = _machine_path(machine)
        body: dict[str, JSON] = {}
        if definition is not msgspec.UNSET:
            body["definition"] = definition
        if search_attributes is not None:
            body["searchAttributes"] = dict(search_attributes)
        return _machine(await self._connection.ask("PUT", path, body=body, headers=headers))

    async def delete_machine(self, machine: str) -> None:
        """Delete a machine with its executions."""
        await self._connection.ask("DELETE", _machine_path(machine))

    async def publish_version(self, machine: str, *, description: str = "") -> Version:
        """Publish the current definition as a version; the same definition again is the same version."""
        path = f"{_machine_path(machine)}/versions"
        return (await self._connection.ask("POST", path, body={"description": description})).read(Version)

    async def versions(self, machine: str) -> list[Version]:
        """The versions of a machine, the newest first."""
        answer = await self._connection.ask("GET", f"{_machine_path(machine)}/versions")
        return answer.read(_Versions).versions

    async def deploy(
        self, machine: str, version: int, *, alias: str | None = None, percent: int = 100
    ) -> None:
        """Lead an alias, ``live`` without another one, to a version, for a share of the executions."""
        body = {"version": version, "percent": percent} | ({} if alias is None else {"alias": alias})
        await self._connection.ask("POST", f"{_machine_path(machine)}/deploy", body=body)

    async def delete_version(self, machine: str, version: int) -> None:
        """Forget a version that no alias leads to."""
        await self._connection.ask("DELETE", f"{_machine_path(machine)}/versions/{version}")

    async def deprecate(self, machine: str, version: int, *, deprecated: bool = True) -> Version:
        """Have a version that no alias leads to start nothing any more, or take that back."""
        path = f"{_machine_path(machine)}/versions/{version}/deprecate"
        return (await self._connection.ask("POST", path, body={"deprecated": deprecated})).read(Version)

    async def clone_machine(self, machine: str, name: str) -> Machine:
        """Create a machine of a name with the definition of another one."""
        path = f"{_machine_path(machine)}/clone"
        return _machine(await self._connection.ask("POST", path, body={"name": name}))

    async def validate(self, definition: JSON, *, type: Type = "STANDARD") -> Judgement:
        """Judge a definition without keeping it."""
        body = {"definition": definition, "type": type}
        return (await self._connection.ask("POST", "/v1/machines/validate", body=body)).read(Judgement)

    async def test(
        self,
        machine: str,
        state: str | None = None,
        input: JSON = None,
        *,
        mock: JSON = None,
        definition: JSON = None,
        variables: Mapping[str, JSON] | None = None,
        context: Mapping[str, JSON] | None = None,
        inspection_level: Literal["INFO", "DEBUG", "TRACE"] = "INFO",
    ) -> Tried:
        """Try one state, the first one if none is named. Without an ``input`` it is an empty object.

        ``mock`` is what a task answers: ``{"result": ...}`` or ``{"error": "E", "cause": "why"}``. ``definition`` is
        tried in place of the machine's.
        """
        body = {
            "state": state,
            "input": {} if input is None else input,
            "mock": mock,
            "definition": definition,
            "variables": variables,
            "context": context,
            "inspectionLevel": inspection_level,
        }
        return (await self._connection.ask("POST", f"{_machine_path(machine)}/test", body=body)).read(Tried)

    async def graph(self, machine: str, *, format: Literal["svg", "mermaid", "dot"] = "svg") -> str:
        """The picture of a machine's definition."""
        path = f"{_machine_path(machine)}/graph"
        return (await self._connection.ask("GET", path, query={"format": format})).body.decode()


def _machine(answer: Answer) -> Machine:
    return msgspec.structs.replace(answer.read(Machine), etag=answer.etag)


def _machine_path(machine: str) -> str:
    return f"/v1/machines/{quote(machine, safe=':')}"
