"""Machines by digest: published once, compiled once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from ..core.machine import Machine
from ..store.base import MachineRecord, Store

#: Turns the text of a definition into a machine; given the definition and its digest.
Compile = Callable[[bytes, str], Machine]

#: Bytes of the definitions whose machines are kept, and names that are known to be published: ever new ones do not
#: fill the memory.
BYTES_MAX = 4 * 1024 * 1024
NAMES_MAX = 10_000
#: Bytes of a definition that takes so long to compile that others would notice.
LARGE = 32 * 1024


class Machines:
    """Running executions keep the definition they were started with, whatever its name means today."""

    def __init__(self, store: Store, compile: Compile) -> None:
        self._store = store
        self._compile = compile
        #: What was compiled, each with the size of its text: what was not used for longest is forgotten first.
        self._compiled: OrderedDict[str, tuple[Machine, int]] = OrderedDict()
        self._size = 0
        #: The digest that each name stands for, as far as this engine has published it.
        self._published: OrderedDict[str, str] = OrderedDict()

    async def publish(self, record: MachineRecord) -> Machine:
        """Keep a definition and compile it. Raises what the compiler raises for an invalid one."""
        machine = self._known(record.digest) or await self._make(record.definition, record.digest)
        if self._published.get(record.name) != record.digest:
            await self._store.publish(record)
            self._published[record.name] = record.digest
            if len(self._published) > NAMES_MAX:
                self._published.popitem(last=False)
        return machine

    async def get(self, digest: str) -> Machine:
        """The machine of a digest. Raises NotFound if no such definition was published."""
        machine = self._known(digest)
        if machine is None:
            record = await self._store.machine(digest)
            machine = await self._make(record.definition, digest)
        return machine

    def _known(self, digest: str) -> Machine | None:
        if digest not in self._compiled:
            return None
        self._compiled.move_to_end(digest)
        return self._compiled[digest][0]

    async def _make(self, definition: bytes, digest: str) -> Machine:
        size = len(definition)
        # What is large is compiled in a thread: executions run meanwhile.
        if size < LARGE:
            machine = self._compile(definition, digest)
        else:
            machine = await asyncio.to_thread(self._compile, definition, digest)
        if digest not in self._compiled:
            self._compiled[digest] = machine, size
            self._size += size
        while self._size > BYTES_MAX and len(self._compiled) > 1:
            self._size -= self._compiled.popitem(last=False)[1][1]
        return machine
