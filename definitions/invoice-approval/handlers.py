"""Orders, an approver and a bank: stand-ins whose answers follow from the input."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from typing import Any

import detent

Document = dict[str, Any]

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))

ORDERS = {"PO-77": 184_00, "PO-78": 2_400_00}


@detent.task("match-invoice")
async def match_invoice(document: Document) -> Document:
    await asyncio.sleep(0.3 * PACE)
    invoice = document["invoice"]
    if invoice["order"] not in ORDERS:
        raise detent.TaskError("OrderUnknown", f"nobody has ordered {invoice['order']}")
    return {"agrees": invoice["amount_cents"] <= ORDERS[invoice["order"]]}


@detent.task("ask-approver")
async def ask_approver(document: Document, context: detent.TaskContext) -> Document:
    """A real one writes a mail, or puts a card on a board. It need not wait for the answer."""
    await asyncio.sleep(0.3 * PACE)
    if document["approver"]["answer"] is not None:
        threading.Thread(target=_decide, args=(context.execution, document["approver"]), daemon=True).start()
    return {"number": f"REQ-{document['invoice']['number']}"}


def _decide(execution: str, approver: Document) -> None:
    """What the approver of the demo types in another terminal: detent signal EXECUTION decision --value ..."""
    time.sleep(2 * PACE)
    decision = json.dumps({"answer": approver["answer"], "by": approver["name"]})
    command = [sys.executable, "-m", "detent.cli", "signal", execution, "decision", "--value", decision]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


@detent.task("pay")
async def pay(payment: Document, context: detent.TaskContext) -> Document:
    """A real bank would get ``context.idempotency_key``."""
    await asyncio.sleep(0.4 * PACE)
    if context.attempt == 1:
        raise detent.TaskError("BankUnreachable", "the line is busy")
    return {
        "paid": payment["invoice"],
        "cents": payment["amount_cents"],
        "reference": f"SEPA-{payment['invoice']}",
    }


@detent.task("send-back")
async def send_back(letter: Document) -> Document:
    await asyncio.sleep(0.3 * PACE)
    return {"sent_back": letter["invoice"], "to": letter["supplier"]}
