"""An inspector, encoders and a shop window: stand-ins that make names of files instead of files."""

import asyncio
import os
from pathlib import PurePosixPath
from typing import Any

import detent

Document = dict[str, Any]

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))


@detent.task("inspect")
async def inspect(document: Document) -> Document:
    await asyncio.sleep(0.4 * PACE)
    if not document["upload"].endswith((".mov", ".mp4")):
        raise detent.TaskError("NotAFilm", "no pictures were found in it")
    height = document["height"]
    return {
        "seconds": document["seconds"],
        "speech": document["speech"],
        "heights": [wanted for wanted in (360, 720, 1080, 2160) if wanted <= height],
    }


@detent.task("transcode")
async def transcode(job: Document, context: detent.TaskContext) -> str:
    """The encoder for 720 lines crashes at first."""
    for _ in range(4):
        await asyncio.sleep(0.1 * PACE * job["height"] / 360)
        context.heartbeat()
    if job["height"] == 720 and context.attempt == 1:
        raise detent.TaskError("EncoderCrashed", "signal 11 in frame 1312")
    return f"{PurePosixPath(job['upload']).stem}-{job['height']}.mp4"


@detent.task("poster")
async def poster(document: Document) -> str:
    await asyncio.sleep(0.3 * PACE)
    return f"{PurePosixPath(document['upload']).stem}.jpg"


@detent.task("subtitles")
async def subtitles(document: Document) -> str:
    await asyncio.sleep(0.9 * PACE)
    return f"{PurePosixPath(document['upload']).stem}.vtt"


@detent.task("publish")
async def publish(film: Document) -> Document:
    await asyncio.sleep(0.3 * PACE)
    return {**film, "published": True}
