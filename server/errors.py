"""What a server refuses to begin with."""

from __future__ import annotations

from detent.core.errors import DetentError


class Exposed(DetentError):
    """The server would listen where others reach it, and nothing would keep them out."""

    code = "EXPOSED"
