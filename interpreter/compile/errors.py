"""What cannot become a machine."""

from __future__ import annotations

from ..core.errors import DetentError


class CompileError(DetentError):
    """A definition that cannot become a machine. The message names the state and the field."""

    code = "COMPILE"


class NotSupported(CompileError):
    """The definition is sound, but uses something that this release cannot run."""

    code = "NOT_SUPPORTED"
