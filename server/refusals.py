"""What a server answers instead of a result, before it is known in which protocol."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from detent.core.values import JSON

#: The media type of a refusal.
PROBLEM = "application/problem+json"


class Refused(Exception):
    """A request is refused. ``code`` is a stable name of the reason, the text says what and how to mend it.

    ``more`` are members that a problem has beside those that all have.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, JSON] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase
