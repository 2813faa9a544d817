"""What cannot become a machine."""

from __future__ import annotations

from ..core.errors import DetentError


class CompileError(DetentError):
    """A definition that cannot become a machine. The message names the state and the field."""

    code = "COMPILE"
