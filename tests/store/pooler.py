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
    """Clients in front, a few connections behind: the one that has rested longest gets the next transaction."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.database = parts.path.removeprefix("/")
        self._query = parse_qs(parts.query)
        self._parts = parts
        self._rested: deque[tuple[Reader, Writer]] = deque()
        self._free = asyncio.Semaphore(0)
        self.clients: set[asyncio.Task[None]] = set()

    async def connect(self, count: int) -> None:
        for _ in range(count):
            if "host" in self._query:
                socket = f"{self._query['host'][0]}/.s.PGSQL.{self._parts.port or 5432}"
                reader, writer = await asyncio.open_unix_connection(socket)
            else:
                reader, writer = await asyncio.open_connection(self._parts.hostname, self._parts.port or 5432)
            user = (self._parts.username or "postgres").encode()
            names = b"user\0" + user + b"\0database\0" + self.database.encode() + b"\0\0"
            writer.write(struct.pack("!ii", len(names) + 8, 196608) + names)
            while (await received(reader))[0] != b"Z":
                pass
            self._rested.append((reader, writer))
            self._free.release()

    async def serve(self, client: Reader, answer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.clients.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
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
        reader, writer = self._rested.popleft()
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
        except (
            asyncio.IncompleteReadError,
            ConnectionError,
        ):
            replies.cancel()
            writer.close()
            await self.connect(1)
            raise
        self._rested.append((reader, writer))
        self._free.release()
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
        for _, writer in self._rested:
            writer.close()


@asynccontextmanager
async def pooled(address: str, count: int) -> AsyncIterator[str]:
    """The address of a pooler with so many connections to the database of another address."""
    pooler = Pooler(address)
    await pooler.connect(count)
    front = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    port = front.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/{pooler.database}?sslmode=disable"
    finally:
        front.close()
        pooler.close()
