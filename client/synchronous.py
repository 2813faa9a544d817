"""The client for programs without an event loop: the same methods, each of which waits for its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import msgspec

from .asynchronous import JSON, AsyncClient, Event, ExecutionPage
from .shapes import (
    Activity,
    Execution,
    ExecutionSummary,
    Judgement,
    Machine,
    MachineSummary,
    Status,
    Task,
    Tried,
    Version,
)

T = TypeVar("T")


class Client:
    """What :class:`.asynchronous.AsyncClient` is, for programs without an event loop, in one thread."""

    def __init__(self, url: str, *, api_key: str | None = None, retries: int = 5) -> None:
        self._client = AsyncClient(url, api_key=api_key, retries=retries)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the sockets back."""
        self._run(self._client.close())
        self._runner.close()

    def _run(self, answer: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(answer)

    def _each(self, found: AsyncIterator[T]) -> Iterator[T]:
        async def take() -> tuple[T] | None:
            async for one in found:
                return (one,)
            return None

        while (one := self._run(take())) is not None:
            yield one[0]

    # Machines

    def create_machine(
        self,
        name: str,
        definition: JSON,
        *,
        type: Literal["STANDARD", "EXPRESS"] = "STANDARD",
        tags: Mapping[str, str] | None = None,
        search_attributes: Mapping[str, str] | None = None,
    ) -> Machine:
        """Create a state machine; see :meth:`.asynchronous.AsyncClient.create_machine`."""
        return self._run(
            self._client.create_machine(
                name, definition, type=type, tags=tags, search_attributes=search_attributes
            )
        )

    def machine(self, machine: str) -> Machine:
        """Look at a machine."""
        return self._run(self._client.machine(machine))

    def machines(self) -> Iterator[MachineSummary]:
        """Every machine, the oldest first."""
        return self._each(self._client.machines())

    def update_machine(
        self,
        machine: str,
        definition: JSON | msgspec.UnsetType = msgspec.UNSET,
        *,
        etag: str | None = None,
        search_attributes: Mapping[str, str] | None = None,
    ) -> Machine:
        """Change a machine; see :meth:`.asynchronous.AsyncClient.update_machine`."""
        return self._run(
            self._client.update_machine(machine, definition, etag=etag, search_attributes=search_attributes)
        )

    def delete_machine(self, machine: str) -> None:
        """Delete a machine with its executions."""
        self._run(self._client.delete_machine(machine))

    def publish_version(self, machine: str, *, description: str = "") -> Version:
        """Publish the current definition as a version; the same definition again is the same version."""
        return self._run(self._client.publish_version(machine, description=description))

    def versions(self, machine: str) -> list[Version]:
        """The versions of a machine, the newest first."""
        return self._run(self._client.versions(machine))

    def deploy(self, machine: str, version: int, *, alias: str | None = None, percent: int = 100) -> None:
        """Lead an alias, ``live`` without another one, to a version, for a share of the executions."""
        self._run(self._client.deploy(machine, version, alias=alias, percent=percent))

    def delete_version(self, machine: str, version: int) -> None:
        """Forget a version that no alias leads to."""
        self._run(self._client.delete_version(machine, version))

    def deprecate(self, machine: str, version: int, *, deprecated: bool = True) -> Version:
        """Have a version that no alias leads to start nothing any more, or take that back."""
        return self._run(self._client.deprecate(machine, version, deprecated=deprecated))

    def clone_machine(self, machine: str, name: str) -> Machine:
        """Create a machine of a name with the definition of another one."""
        return self._run(self._client.clone_machine(machine, name))

    def validate(self, definition: JSON, *, type: Literal["STANDARD", "EXPRESS"] = "STANDARD") -> Judgement:
        """Judge a definition without keeping it."""
        return self._run(self._client.validate(definition, type=type))

    def test(
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
        """Try one state; see :meth:`.machines.AsyncMachines.test`."""
        return self._run(
            self._client.test(
                machine,
                state,
                input,
                mock=mock,
                definition=definition,
                variables=variables,
                context=context,
                inspection_level=inspection_level,
            )
        )

    def graph(self, machine: str, *, format: Literal["svg", "mermaid", "dot"] = "svg") -> str:
        """The picture of a machine's definition."""
        return self._run(self._client.graph(machine, format=format))

    # Executions

    def start(
        self,
        machine: str,
        input: JSON = None,
        *,
        name: str | None = None,
        version: int | None = None,
        alias: str | None = None,
        wait: float | None = None,
        key: str | None = None,
    ) -> Execution:
        """Start an execution; see :meth:`.asynchronous.AsyncClient.start`."""
        return self._run(
            self._client.start(machine, input, name=name, version=version, alias=alias, wait=wait, key=key)
        )

    def execution(self, execution: str) -> Execution:
        """Look at an execution."""
        return self._run(self._client.execution(execution))

    def wait(self, execution: str, seconds: float | None = None) -> Execution:
        """An execution once it has ended, or as it is after so long."""
        return self._run(self._client.wait(execution, seconds))

    def executions(
        self,
        *,
        status: Status | None = None,
        machine: str | None = None,
        name: str | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        where: Sequence[str] = (),
    ) -> Iterator[ExecutionSummary]:
        """Find executions; see :meth:`.asynchronous.AsyncClient.executions`."""
        return self._each(
            self._client.executions(
                status=status,
                machine=machine,
                name=name,
                started_after=started_after,
                started_before=started_before,
                where=where,
            )
        )

    def execution_page(
        self,
        *,
        status: Status | None = None,
        machine: str | None = None,
        name: str | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        where: Sequence[str] = (),
        cursor: str | None = None,
        limit: int = 100,
    ) -> ExecutionPage:
        """One page of what :meth:`executions` finds."""
        return self._run(
            self._client.execution_page(
                status=status,
                machine=machine,
                name=name,
                started_after=started_after,
                started_before=started_before,
                where=where,
                cursor=cursor,
                limit=limit,
            )
        )

    def history(self, execution: str) -> Iterator[Event]:
        """The events of an execution so far, as the service's protocol spells them."""
        return self._each(self._client.history(execution))

    def follow(self, execution: str) -> Iterator[Event]:
        """The events of an execution, those that there are and then each new one, until it has ended."""
        return self._each(self._client.follow(execution))

    def export(self, execution: str) -> bytes:
        """The file that ``detent export`` writes: the definition, the log, every value."""
        return self._run(self._client.export(execution))

    # Steer

    def stop(self, execution: str, *, error: str | None = None, cause: str | None = None) -> Execution:
        """Stop an execution: it ends as ABORTED. One that has ended stays as it is."""
        return self._run(self._client.stop(execution, error=error, cause=cause))

    def pause(self, execution: str) -> None:
        """Begin nothing new until it is resumed. Durable when this returns."""
        self._run(self._client.pause(execution))

    def resume(
        self, execution: str, value: JSON | msgspec.UnsetType = msgspec.UNSET, *, state: str | None = None
    ) -> None:
        """Go on with what was paused; a ``value`` is the result of the state that waits, or of the one named."""
        self._run(self._client.resume(execution, value, state=state))

    def signal(self, execution: str, name: str, value: JSON = None, *, key: str | None = None) -> None:
        """Send a named signal. Durable when this returns; sent again with the same ``key`` it counts once."""
        self._run(self._client.signal(execution, name, value, key=key))

    def redrive(self, execution: str, *, key: str | None = None) -> datetime:
        """Go on with what ended without success, where it stood; when that was."""
        return self._run(self._client.redrive(execution, key=key))

    def delete(self, execution: str) -> None:
        """Forget an execution that has ended."""
        self._run(self._client.delete(execution))

    # Tasks

    def create_activity(self, name: str) -> Activity:
        """Create an activity; the same one again changes nothing."""
        return self._run(self._client.create_activity(name))

    def activities(self) -> Iterator[Activity]:
        """Every activity, the oldest first."""
        return self._each(self._client.activities())

    def delete_activity(self, activity: str) -> None:
        """Forget an activity."""
        self._run(self._client.delete_activity(activity))

    def poll(self, activity: str, *, worker: str | None = None, wait: float = 55.0) -> Task | None:
        """Take the task of an activity that has waited longest; None if there is none within ``wait`` seconds."""
        return self._run(self._client.poll(activity, worker=worker, wait=wait))

    def succeed(self, token: str, output: JSON = None) -> None:
        """Answer a task with its result. Durable when this returns; the first answer counts."""
        self._run(self._client.succeed(token, output))

    def fail(self, token: str, *, error: str | None = None, cause: str | None = None) -> None:
        """Answer a task with an error."""
        self._run(self._client.fail(token, error=error, cause=cause))

    def heartbeat(self, token: str) -> None:
        """Say that a task is alive: its HeartbeatSeconds starts anew."""
        self._run(self._client.heartbeat(token))
