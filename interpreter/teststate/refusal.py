"""A request that is refused, in the service's words."""

from __future__ import annotations


class Refused(Exception):
    """``code`` is the service's name of the error, ``message`` its sentence (api, section 4)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def invalid(message: str) -> Refused:
    """A ValidationException."""
    return Refused("ValidationException", message)
