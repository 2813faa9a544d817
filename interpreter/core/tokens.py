"""Task tokens: what somebody outside shows to answer a task.

A token names its execution and pending, so that an answer finds its way, and carries a secret that only
who was given the token can know. It is made from the seed of the step that scheduled the attempt: as
random as the seed, different for every attempt, and the same when the step is decided again. The log
keeps its hash beside the attempt.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from .errors import DetentError


class InvalidToken(DetentError):
    """A text that is no task token, or one that was never given out."""

    code = "INVALID_TOKEN"


def make_token(seed: str, execution: str, pending: int) -> str:
    """The token of the attempt that event ``pending`` schedules, in a step decided with ``seed``."""
    place = urlsafe_b64encode(f"{pending}:{execution}".encode()).decode().rstrip("=")
    return f"{place}.{sha256(f'{seed}/{execution}/{pending}'.encode()).hexdigest()}"


def read_token(token: str) -> tuple[str, int]:
    """The execution and the pending that a token names. Raises InvalidToken."""
    place, dot, secret = token.partition(".")
    try:
        padded = place + "=" * (-len(place) % 4)
        pending, colon, execution = urlsafe_b64decode(padded.encode("ascii")).decode().partition(":")
        if not (dot and colon and execution and len(secret) == 64):
            raise ValueError
        return execution, int(pending)
    except ValueError:
        raise InvalidToken("this is no task token") from None


def hash_token(token: str) -> str:
    """What the log keeps of a token."""
    return sha256(token.encode()).hexdigest()
