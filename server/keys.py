"""API keys: made once and shown once, kept as hashes in the store.

A key is ``dtk_ID_SECRET``. The secret has 256 random bits, so that a plain hash of it tells nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from detent.core.values import decode, encode
from detent.store.base import Document, Edit, NotFound, Store
from detent.store.url import open_store

COLLECTION = "api-key"
PREFIX = "dtk"
#: How long a key that was revoked elsewhere may still be taken, in seconds.
STALE_SECONDS = 2.0
_PAGE = 500


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key. ``name`` says whose it is, instants are milliseconds."""

    id: str
    name: str
    hash: str
    created_at: int


class Keys:
    """The keys of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, name: str, now: int) -> str:
        """A new key for somebody; its text, which is nowhere kept. Raises StoreError."""
        id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        body = encode({"name": name, "hash": _hash(secret), "created": now})
        await self._store.edit([Edit(COLLECTION, id, body)])
        return f"{PREFIX}_{id}_{secret}"

    async def all(self) -> list[ApiKey]:
        """Every key, the oldest first. Raises StoreError."""
        found: list[ApiKey] = []
        after = 0
        while page := await self._store.documents(COLLECTION, after=after, limit=_PAGE):
            found += [_key(document) for document in page]
            after = page[-1].number
        return found

    async def revoke(self, id: str) -> ApiKey:
        """Forget a key, by its id. Raises NotFound, StoreError."""
        document = await self._store.document(COLLECTION, id)
        if document is None:
            raise NotFound(f"there is no key {id!r}; `detent keys list` shows what there is")
        await self._store.edit([Edit(COLLECTION, id, None, document)])
        return _key(document)


class Keyring:
    """The keys as a server knows them: read again when they are no longer fresh."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._known: dict[str, ApiKey] = {}
        self._read_at = -STALE_SECONDS

    async def known(self) -> bool:
        """Whether there is any key: then every request needs one. Raises StoreError."""
        if monotonic() - self._read_at >= STALE_SECONDS:
            known = {key.id: key for key in await self._keys.all()}
            self._known, self._read_at = known, monotonic()
        return bool(self._known)

    async def owner(self, text: str) -> str | None:
        """Whose key a text is; None if it is none. Raises StoreError."""
        prefix, _, rest = text.partition("_")
        id, _, secret = rest.partition("_")
        key = self._known.get(id)
        if prefix != PREFIX or key is None or not hmac.compare_digest(_hash(secret), key.hash):
            return None
        return key.name


@asynccontextmanager
async def open_keys(url: str) -> AsyncIterator[Keys]:
    """The keys of the store a URL names, beside a server that may be at work on it. Raises StoreError."""
    store = open_store(url)
    await store.open(engine=False)
    try:
        yield Keys(store)
    finally:
        await store.close()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _key(document: Document) -> ApiKey:
    body = decode(document.body)
    return ApiKey(document.id, body["name"], body["hash"], body["created"])
