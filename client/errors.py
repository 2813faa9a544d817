"""What a client raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detent.core.errors import DetentError


class ClientError(DetentError):
    """A server refused a request, or could not be asked.

    ``problem`` is the code of the server's answer, such as ``not-found``, and ``status`` that of HTTP; without an
    answer they are ``unreachable`` and None. ``detail`` says what happened and how to mend it; ``more`` holds the
    other members of the problem, such as the ``diagnostics`` of a definition.
    """

    code = "CLIENT"

    def __init__(
        self, problem: str, detail: str, status: int | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.status = status
        self.more = dict(more or {})
