"""Pagination: tokens that say where the next page begins, which nobody else can make or change.

A token is good for one operation with the same arguments (the size of a page aside) for a day. Its key is kept in the
store, so every server of a fleet takes it, also after a restart.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from detent.core.values import decode, encode
from detent.store.base import Edit, Store

from .errors import invalid_token

#: The size of a page where none is asked for.
PAGE_DEFAULT = 100
#: How long a token is good for, in milliseconds (api, section 7).
TOKEN_MILLISECONDS = 24 * 60 * 60 * 1000

_SIGNATURE_BYTES = 16
#: Arguments that may differ from page to page.
_FREE = frozenset({"nextToken", "maxResults"})


class Pages:
    """Makes and reads tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key: bytes | None = None

    async def token(self, operation: str, params: Mapping[str, Any], cursor: str | int, now: int) -> str:
        """The token of the page that begins behind a cursor."""
        said = encode([_question(operation, params), cursor, now + TOKEN_MILLISECONDS])
        return urlsafe_b64encode(await self._sign(said) + said).decode().rstrip("=")

    async def cursor(self, operation: str, params: Mapping[str, Any], now: int) -> Any:
        """Where the page begins that is asked for; None for the first. Raises ServiceError InvalidToken."""
        token = params.get("nextToken")
        if token is None:
            return None
        try:
            read = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError:
            raise invalid_token() from None
        signature, said = read[:_SIGNATURE_BYTES], read[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, await self._sign(said)):
            raise invalid_token()
        question, cursor, until = decode(said)
        if question != _question(operation, params) or until < now:
            raise invalid_token()
        return cursor

    async def _sign(self, said: bytes) -> bytes:
        if self._key is None:
            self._key = await _kept_key(self._store)
        return hmac.new(self._key, said, sha256).digest()[:_SIGNATURE_BYTES]


def size(params: Mapping[str, Any]) -> int:
    """How many results a page holds."""
    return params.get("maxResults") or PAGE_DEFAULT


def _question(operation: str, params: Mapping[str, Any]) -> str:
    """What is asked for, page after page."""
    asked = sorted((name, value) for name, value in params.items() if name not in _FREE)
    return sha256(encode([operation, asked])).hexdigest()[:16]


async def _kept_key(store: Store) -> bytes:
    while (document := await store.document("secret", "pages")) is None:
        await store.edit([Edit("secret", "pages", secrets.token_bytes(32))])
    return document.body
