"""Seeds for decisions, drawn from the system many at a time: one by one they would cost as much as deciding."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from secrets import token_bytes

#: Random bytes of a seed; a multiple of three, so that its text needs no padding.
SEED_BYTES = 33
_CHARACTERS = SEED_BYTES * 4 // 3
_DRAWN_AT_ONCE = 64

_pool: list[str] = []


def draw_seed() -> str:
    """A random text that nobody can guess, another one with every call."""
    while True:
        try:
            return _pool.pop()
        except IndexError:
            text = urlsafe_b64encode(token_bytes(SEED_BYTES * _DRAWN_AT_ONCE)).decode()
            _pool.extend(text[at : at + _CHARACTERS] for at in range(0, len(text), _CHARACTERS))
