"""A pooler in transaction mode, as small as it can be: each transaction gets another connection to the server."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


#: What a client is told when it comes: it may come in, and is waited for.
WELCOME = (
    message(b"R", struct.pack("!i", 0))
    + message(b"S", b"server_version\x0016.0\0")
    + message(b"S", b"client_encoding\0UTF8\0")
    + message(b"S", b"standard_conforming_strings\0on\0")
    + message(b"K", struct.pack("!ii", 0, 0))
    + message(b"Z", b"I")
)


async def received(reader: Reader) -> tuple[bytes, bytes]:
    """A message's kind, and all of it."""
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


class Pooler:
    """Clients in front, a few connections behind: the one that has rested longest gets the next transaction.

    What is lost behind is connected again for the next transaction; whoever had it is cut off,
    and so is who asks while that fails.
    """

    def __init__(self, address: str, count: int) -> None:
        parts = urlsplit(address)
        self.database = parts.path.removeprefix("/")
        self._query = parse_qs(parts.query)
        self._parts = parts
        #: None is a place for a new connection.
        self._rested: deque[tuple[Reader, Writer] | None] = deque([None] * count)
        self._free = asyncio.Semaphore(count)
        self.clients: set[asyncio.Task[None]] = set()

    async def _connected(self) -> tuple[Reader, Writer]:
        if "host" in self._query:
            socket = f"{self._query['host'][0]}/.s.PGSQL.{self._parts.port or 5432}"
            reader, writer = await asyncio.open_unix_connection(socket)
        else:
            reader, writer = await asyncio.open_connection(self._parts.hostname, self._parts.port or 5432)
        user = (self._parts.username or "postgres").encode()
        names = b"user\0" + user + b"\0database\0" + self.database.encode() + b"\0\0"
        writer.write(struct.pack("!ii", len(names) + 8, 196608) + names)
        try:
            while (await received(reader))[0] != b"Z":
                pass
        except BaseException:
            writer.close()
            raise
        return reader, writer

    async def serve(self, client: Reader, answer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.clients.add(task)
        with suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            size, code = struct.unpack("!ii", await client.readexactly(8))
            await client.readexactly(size - 8)
            if code == 196608:
                answer.write(WELCOME)
                said = asyncio.ensure_future(received(client))
                while (await said)[0] != b"X":
                    said = await self._transaction(said, client, answer)
        self.clients.discard(task)
        answer.close()

    async def _transaction(
        self, said: asyncio.Future[tuple[bytes, bytes]], client: Reader, answer: Writer
    ) -> asyncio.Future[tuple[bytes, bytes]]:
        """Pass on what is said until the transaction is over; what the client will say after it."""
        await self._free.acquire()
        behind, rests = self._rested.popleft(), False
        try:
            behind = behind or await self._connected()
            said = await self._passed_on(said, client, answer, *behind)
            rests = True
        finally:
            if behind is not None and not rests:
                behind[1].close()
            self._rested.append(behind if rests else None)
            self._free.release()
        return said

    async def _passed_on(
        self,
        said: asyncio.Future[tuple[bytes, bytes]],
        client: Reader,
        answer: Writer,
        reader: Reader,
        writer: Writer,
    ) -> asyncio.Future[tuple[bytes, bytes]]:
        replies = asyncio.create_task(self._replies(reader, answer))
        try:
            while not replies.done():
                if said.done():
                    kind, text = said.result()
                    if kind == b"X":
                        raise ConnectionError
                    writer.write(text)
                    said = asyncio.ensure_future(received(client))
                await asyncio.wait({said, replies}, return_when=asyncio.FIRST_COMPLETED)
            replies.result()
        except BaseException:
            for waited_for in (said, replies):
                waited_for.cancel()
            await asyncio.gather(said, replies, return_exceptions=True)
            raise
        return said

    async def _replies(self, reader: Reader, answer: Writer) -> None:
        """Pass on what the server says until no transaction is open."""
        reply = b""
        while not (reply.startswith(b"Z") and reply.endswith(b"I")):
            _, reply = await received(reader)
            answer.write(reply)

    def close(self) -> None:
        for task in self.clients:
            task.cancel()
        for behind in self._rested:
            if behind is not None:
                behind[1].close()


@asynccontextmanager
async def pooled(address: str, count: int) -> AsyncIterator[str]:
    """The address of a pooler with so many connections to the database of another address."""
    pooler = Pooler(address, count)
    front = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    port = front.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/{pooler.database}?sslmode=disable"
    finally:
        front.close()
        pooler.close()
