"""Machines by digest: published once, compiled once."""

from __future__ import annotations

from collections.abc import Callable

from ..core.machine import Machine
from ..store.base import MachineRecord, Store

#: Turns the text of a definition into a machine; given the definition and its digest.
Compile = Callable[[bytes, str], Machine]


class Machines:
    """Running executions keep the definition they were started with, whatever its name means today."""

    def __init__(self, store: Store, compile: Compile) -> None:
        self._store = store
        self._compile = compile
        self._compiled: dict[str, Machine] = {}
        #: The digest that each name stands for, as far as this engine has published it.
        self._published: dict[str, str] = {}

    async def publish(self, record: MachineRecord) -> Machine:
        """Keep a definition and compile it. Raises what the compiler raises for an invalid one."""
        machine = self._compiled.get(record.digest) or self._compile(record.definition, record.digest)
        if self._published.get(record.name) != record.digest:
            await self._store.publish(record)
            self._published[record.name] = record.digest
        self._compiled[record.digest] = machine
        return machine

    async def get(self, digest: str) -> Machine:
        """The machine of a digest. Raises NotFound if no such definition was published."""
        machine = self._compiled.get(digest)
        if machine is None:
            record = await self._store.machine(digest)
            machine = self._compiled[digest] = self._compile(record.definition, digest)
        return machine
