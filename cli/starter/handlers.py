"""The work of the workflow's tasks: plain functions, which can be tested without any workflow."""

from typing import Any

import detent

STOCK = {"teapot": 12, "samovar": 1}


@detent.task("check-stock")
def check_stock(request: dict[str, Any]) -> dict[str, Any]:
    article = request["article"]
    if article not in STOCK:
        raise detent.TaskError("UnknownArticle", f"nobody has heard of {article!r}")
    return {"left": STOCK[article]}


@detent.task("reserve")
def reserve(request: dict[str, Any], context: detent.TaskContext) -> dict[str, Any]:
    """A task may run again after a crash: the key is the same then, so a warehouse can tell a repeat."""
    context.logger.info("reserving %s", request["article"])
    return {"reservation": f"R-{request['article']}-{request['count']}", "key": context.idempotency_key}
