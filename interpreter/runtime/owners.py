"""The names under which engines hold executions: they tell whether an engine takes over what nobody holds."""

from __future__ import annotations

import secrets
from collections.abc import Collection

#: The name of an engine that takes over begins so.
TAKER = "taker-"


def fresh_owner(*, takes_over: bool) -> str:
    """A name that no other engine has."""
    return f"{TAKER if takes_over else ''}{secrets.token_hex(8)}"


def is_at_work(owner: str | None, owners: Collection[str]) -> bool:
    """Whether an execution is in good hands, held by ``owner`` while ``owners`` live: by that one, or because one of
    them takes over whatever needs attention."""
    return owner in owners or any(other.startswith(TAKER) for other in owners)
