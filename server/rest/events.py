"""Events as they come, by server-sent events: of one execution, from its history on, and of all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from aiohttp import web

from detent.core.codec import decode_log, payloads_of
from detent.core.values import JSON, encode
from detent.history import Projection
from detent.runtime.recall import load_payloads

from ..feed import WAITING_MAX, Happening
from ..refusals import Refused
from .operation import Call, operation
from .shapes import execution_id, instant

TAG = "events"
MEDIA = "text/event-stream"
LAST_EVENT_ID = "Last-Event-ID"

#: After so long without an event a comment is sent, in seconds.
HEARTBEAT_SECONDS = 15.0
#: How often is looked at an execution that another process may run, in seconds.
LOOK_SECONDS = 1.0
#: How long a client may take to read what was sent, in seconds; then the connection is cut.
WRITE_SECONDS = 30.0


@operation(
    "GET",
    "/v1/executions/{execution}/events",
    tag=TAG,
    media=(MEDIA,),
    headers={LAST_EVENT_ID: "The number of the last event that was read: go on after it."},
)
async def follow_execution(call: Call) -> None:
    """Follow an execution: its history from the beginning, then live

    Each event has its number in the history as `id`, its type as `event`, and a HistoryEvent as data. The last one is
    `end`, with the status: the execution has ended. One called `closed` says that the server ends.
    """
    id = execution_id(call)
    after = _last_id(call)
    log = await call.store.load(id)
    if call.exchange.request.method == "HEAD":
        return web.Response(content_type=MEDIA)  # type: ignore[return-value]  # as it is
    with call.service.feed.watch(id) as watcher:
        stream = await _begin(call)
        projection = Projection(alias=log.record.alias, version=log.record.version)
        quiet = 0.0
        with _cut_off(call):
            while True:
                steps = list(decode_log((segment.after, segment.control) for segment in log.segments))
                await load_payloads(call.store, id, [value for step in steps for value in payloads_of(step)])
                for event in projection.follow(steps):
                    if event.id > after:
                        await _send(stream, event.type, event.as_json(), event.id)
                        quiet = 0.0
                if log.head.ended_at is not None:
                    await _send(stream, "end", {"execution": id, "status": log.head.status})
                    break
                if watcher.closed:
                    await _send(stream, "closed", {"detail": "the server ends: come again"})
                    break
                quiet += 0.0 if await watcher.wait(LOOK_SECONDS) else LOOK_SECONDS
                if quiet >= HEARTBEAT_SECONDS:
                    await _write(stream, b":\n\n")
                    quiet = 0.0
                log = await call.store.load(id, after=log.last)
            await stream.write_eof()
    return stream  # type: ignore[return-value]  # as it is


@operation("GET", "/v1/events", tag=TAG, media=(MEDIA,))
async def follow_all(call: Call) -> None:
    """Follow all executions that this process runs, from now on

    Events are `started`, `entered` (a state), `redriven`, `succeeded`, `failed`, `timed_out` and `aborted`; what went
    in and out is not in them. A client that reads too slowly gets `overflow`, one that watches while the server ends
    `closed`, and both are cut off.
    """
    if call.exchange.request.method == "HEAD":
        return web.Response(content_type=MEDIA)  # type: ignore[return-value]  # as it is
    with call.service.feed.watch() as watcher:
        stream = await _begin(call)
        with _cut_off(call):
            while not watcher.closed:
                while watcher.waiting:
                    text = b"".join(map(_spelled, watcher.waiting))
                    watcher.waiting.clear()
                    await _write(stream, text)
                if watcher.lost:
                    await _send(
                        stream, "overflow", {"detail": "more happened than you have read: come again"}
                    )
                    break
                if not await watcher.wait(HEARTBEAT_SECONDS):
                    await _write(stream, b":\n\n")
            else:
                await _send(stream, "closed", {"detail": "the server ends: come again"})
            await stream.write_eof()
    return stream  # type: ignore[return-value]  # as it is


@lru_cache(maxsize=WAITING_MAX)  # the same for all who watch
def _spelled(happening: Happening) -> bytes:
    return _text(happening.kind, _told(happening))


def _told(happening: Happening) -> dict[str, JSON]:
    told: dict[str, JSON] = {
        "execution": happening.execution,
        "machine": happening.machine.partition(":stateMachine:")[2],
        "at": instant(happening.at),
    }
    if happening.state is not None:
        told["state"] = happening.state
    if happening.error is not None:
        told["error"] = happening.error
    return told


def _last_id(call: Call) -> int:
    text = call.header(LAST_EVENT_ID) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused(400, "invalid-event-id", f"{LAST_EVENT_ID} is the number of an event of the history")
    return int(text)


@contextmanager
def _cut_off(call: Call) -> Iterator[None]:
    """End the connection of a client that has gone, or reads too slowly: what waits for it is dropped."""
    try:
        yield
    except ConnectionError:
        pass
    except TimeoutError:
        transport = call.exchange.request.transport
        if transport is not None:
            transport.abort()


async def _begin(call: Call) -> web.StreamResponse:
    headers = {**call.exchange.headers, "Content-Type": MEDIA, "Cache-Control": "no-store"}
    stream = web.StreamResponse(headers=headers)
    await stream.prepare(call.exchange.request)
    await _write(stream, b":\n\n")
    return stream


async def _send(stream: web.StreamResponse, kind: str, data: JSON, id: int | None = None) -> None:
    await _write(stream, _text(kind, data, id))


def _text(kind: str, data: JSON, id: int | None = None) -> bytes:
    head = f"event: {kind}\n" if id is None else f"id: {id}\nevent: {kind}\n"
    return head.encode() + b"data: " + encode(data) + b"\n\n"


async def _write(stream: web.StreamResponse, text: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await stream.write(text)


OPERATIONS = (follow_execution, follow_all)
