"""An evaluation in another process, whatever its kind: what comes there, and what goes back, are JSON texts."""

from __future__ import annotations

from ..core.values import decode
from . import applications
from .jsonata import apart as jsonata
from .jsonata.engine import Limits
from .jsonpath import selection


def answer_request(text: bytes, limits: Limits) -> bytes:
    """Evaluate what was requested: JSONata under limits; for the others who watches over the process is enough."""
    request = decode(text)
    if "path" in request:
        return selection.answer_request(request)
    if "function" in request:
        return applications.answer_request(request)
    return jsonata.answer_request(request, limits)
