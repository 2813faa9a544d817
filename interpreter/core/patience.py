"""Whether it is worth trying to do quickly what took long the last time."""

from __future__ import annotations

#: How often what took long is not tried again. A few, since it may have been a large value among small ones.
SKIPS = 8


class Attempts:
    """Tells whether an attempt is worth while; it knows of nothing but how the last ones went."""

    __slots__ = ("_skips",)

    def __init__(self) -> None:
        self._skips = 0

    def is_due(self) -> bool:
        """Whether to try: not for the next few times after an attempt that took too long."""
        if self._skips:
            self._skips -= 1
            return False
        return True

    def took_too_long(self) -> None:
        """Note that an attempt was given up."""
        self._skips = SKIPS
