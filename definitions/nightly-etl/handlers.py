"""A bucket of files and a warehouse: stand-ins whose rows follow from the names of the files."""

import asyncio
import os
from typing import Any

import detent

Document = dict[str, Any]

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))


@detent.task("list-files")
async def list_files(document: Document) -> list[str]:
    await asyncio.sleep(0.3 * PACE)
    damaged = document.get("damaged", [])
    return [f"{shop}{'.damaged' if shop in damaged else ''}.csv" for shop in document["shops"]]


@detent.task("extract")
async def extract(item: Document, context: detent.TaskContext) -> list[Document]:
    await asyncio.sleep(0.3 * PACE)
    if ".damaged" in item["file"]:
        raise detent.TaskError("FileDamaged", "line 17 ends in the middle of a number")
    if item["number"] % 4 == 3 and context.attempt == 1:
        raise detent.TaskError("StorageSlow", "503, please slow down")
    return [{"article": f"A{row}", "price": f"{row + 1}.50"} for row in range(len(item["file"]))]


@detent.task("transform")
async def transform(item: Document) -> list[Document]:
    await asyncio.sleep(0.2 * PACE)
    return [{**row, "cents": int(row.pop("price").replace(".", ""))} for row in item["rows"]]


@detent.task("load")
async def load(item: Document) -> Document:
    await asyncio.sleep(0.2 * PACE)
    return {
        "file": item["file"],
        "rows": len(item["rows"]),
        "cents": sum(row["cents"] for row in item["rows"]),
    }


@detent.task("publish")
async def publish(night: Document) -> Document:
    await asyncio.sleep(0.2 * PACE)
    return {
        "night": night["night"],
        "files": len(night["loaded"]),
        "rows": sum(night["rows"]),
        "aside": night["aside"],
    }
