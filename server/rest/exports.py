"""An execution as the file that goes to another machine."""

from __future__ import annotations

from aiohttp import web

from detent.recording import write_recording
from detent.runtime.compose import RELEASE
from detent.runtime.records import read

from .operation import Call, operation
from .shapes import execution_id

MEDIA = "application/octet-stream"


@operation("GET", "/v1/executions/{execution}/export", tag="executions", media=(MEDIA,))
async def export_execution(call: Call) -> None:
    """The file that `detent export` writes: the definition, the log, every value

    `detent show`, `history`, `verify` and `replay` read it, `detent import` brings it into another store.
    """
    text = write_recording(await read(call.store, execution_id(call)), RELEASE)
    return web.Response(body=text, content_type=MEDIA)  # type: ignore[return-value]  # as it is


OPERATIONS = (export_execution,)
