"""What is wrong with handlers before anything runs."""

from __future__ import annotations

from ...core.errors import DetentError


class HandlersError(DetentError):
    """Handlers cannot be loaded or registered. The message says which, where, and how to mend it."""

    code = "HANDLERS"
