"""Machines by digest: published once, compiled once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import itemgetter

from cachetools import LRUCache

from ..core.machine import Machine
from ..store.base import MachineRecord, Store

#: Turns the text of a definition into a machine; given the definition and its digest.
Compile = Callable[[bytes, str], Machine]

#: Bytes of memory that compiled machines may take, about, and names that are known to be published: ever new ones
#: do not fill the memory.
BYTES_MAX = 32 * 1024 * 1024
#: What a state takes beside the text of its definition, in bytes, about.
STATE_BYTES = 2_048
NAMES_MAX = 10_000
#: Bytes of a definition that takes so long to compile that others would notice.
LARGE = 32 * 1024


class Machines:
    """Running executions keep the definition they were started with, whatever its name means today."""

    def __init__(self, store: Store, compile: Compile) -> None:
        self._store = store
        self._compile = compile
        #: What was compiled, each with its size: what was not used for longest is forgotten first.
        self._compiled: LRUCache[str, tuple[Machine, int]] = LRUCache(BYTES_MAX, getsizeof=itemgetter(1))
        #: The digest that each name stands for, as far as this engine has published it.
        self._published: LRUCache[str, str] = LRUCache(NAMES_MAX)

    async def publish(self, record: MachineRecord) -> Machine:
        """Keep a definition and compile it. Raises what the compiler raises for an invalid one."""
        machine = self._known(record.digest) or await self._make(record.definition, record.digest)
        if self._published.get(record.name) != record.digest:
            await self._store.publish(record)
            self._published[record.name] = record.digest
        return machine

    async def get(self, digest: str) -> Machine:
        """The machine of a digest. Raises NotFound if no such definition was published."""
        machine = self._known(digest)
        if machine is None:
            record = await self._store.machine(digest)
            machine = await self._make(record.definition, digest)
        return machine

    def _known(self, digest: str) -> Machine | None:
        known = self._compiled.get(digest)
        return None if known is None else known[0]

    async def _make(self, definition: bytes, digest: str) -> Machine:
        # What is large is compiled in a thread: executions run meanwhile.
        if len(definition) < LARGE:
            machine = self._compile(definition, digest)
        else:
            machine = await asyncio.to_thread(self._compile, definition, digest)
        size = len(definition) + STATE_BYTES * sum(len(scope.states) for scope in machine.scopes.values())
        self._compiled[digest] = machine, min(size, BYTES_MAX)
        return machine
