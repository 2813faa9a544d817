"""The shop, the bank and the carriers: stand-ins that take a moment and fail in ways one can rely on."""

import asyncio
import os
from typing import Any

import detent

Document = dict[str, Any]

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))

PARCEL_GRAMS = 2000


async def work(seconds: float) -> None:
    await asyncio.sleep(seconds * PACE)


@detent.task("check-order")
async def check_order(document: Document) -> Document:
    await work(0.4)
    lines = document["lines"]
    if not lines:
        raise detent.TaskError("OrderInvalid", "the order has no lines")
    grams = sum(line["count"] * line["grams"] for line in lines)
    count = -(-grams // PARCEL_GRAMS)
    return {
        "total_cents": sum(line["count"] * line["price_cents"] for line in lines),
        "parcels": [
            {
                "order": document["order"],
                "number": number + 1,
                "grams": min(PARCEL_GRAMS, grams - number * PARCEL_GRAMS),
            }
            for number in range(count)
        ],
    }


@detent.task("reserve-line")
async def reserve_line(request: Document) -> str:
    await work(0.5)
    line = request["line"]
    if line["count"] > line.get("in_stock", line["count"]):
        raise detent.TaskError("OutOfStock", f"only {line['in_stock']} of {line['article']} left")
    return f"{line['count']} x {line['article']}"


@detent.task("charge-card")
async def charge_card(request: Document, context: detent.TaskContext) -> Document:
    """A real bank would get ``context.idempotency_key``, and charge once however often it is asked."""
    await work(1.1)
    if request["card"].startswith("declined"):
        raise detent.TaskError("CardDeclined", "the bank said no")
    return {"reference": f"PAY-{request['order']}", "cents": request["amount_cents"]}


@detent.task("note-points")
async def note_points(document: Document) -> None:
    await work(0.8)
    raise detent.TaskError("LoyaltyServiceClosed", "the loyalty programme is closed on weekends, and today")


@detent.task("pack")
async def pack(parcel: Document) -> bool:
    await work(0.3 + 0.3 * parcel["number"])
    return True


@detent.task("book-carrier")
async def book_carrier(parcel: Document, context: detent.TaskContext) -> Document:
    """The second parcel needs three attempts, the others one."""
    await work(0.4)
    if parcel["number"] == 2 and context.attempt < 3:
        raise detent.TaskError("CarrierUnavailable", "the carrier's computer has the hiccups")
    return {"tracking": f"{parcel['order']}-{parcel['number']:02}"}


@detent.task("tell-customer")
async def tell_customer(message: Document) -> str:
    await work(0.3)
    return f"Dear {message['to']}, {message['text']}."


@detent.task("release-goods")
async def release_goods(document: Document) -> list[str]:
    await work(0.4)
    return [line["article"] for line in document["lines"]]


@detent.task("refund")
async def refund(document: Document) -> int:
    await work(0.4)
    return int(document["check"]["total_cents"])
