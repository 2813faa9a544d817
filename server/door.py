"""The door: who may come in at all, before anybody asks what they want.

Keeps web pages out (by Host and Origin: a page that a browser of this machine shows must not reach a server that
listens on loopback), whoever has no key where keys are configured, and whoever asks too often.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from time import monotonic

from aiohttp import web

from .exchange import Exchange, too_large
from .keys import Keyring
from .refusals import Refused
from .settings import Settings

#: Hosts that were found fit, remembered: the same few come again and again.
_KNOWN_MAX = 1_000
#: Principals whose allowance is remembered; the one that has been quiet longest is forgotten first.
_PRINCIPALS_MAX = 10_000
#: Digits of a length: with thousands of them Python refuses to read it.
_DIGITS_MAX = 20
#: Headers of a request, of which most have a dozen: who tells them apart looks at each.
_HEADERS_MAX = 128
#: What SDKs put before the host of two operations.
SYNC_PREFIX = "sync-"


class Door:
    """``keyring`` holds the API keys of the service's store."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._settings = settings
        self._is_local = settings.is_local
        self._keyring = keyring
        self._hosts: set[str] = set()
        self._allowances: dict[str, Allowance] = {}

    def check(self, request: web.BaseRequest) -> None:
        """What every request must be like. Raises Refused."""
        headers = request.headers
        hosts = headers.getall("Host", ())
        if len(hosts) != 1:
            raise Refused(400, "bad-host", "a request has one Host header", headers=_CLOSE)
        if hosts[0] not in self._hosts:
            self._check_host(hosts[0])
        if len(headers) > _HEADERS_MAX:
            reason = f"a request has {_HEADERS_MAX} headers at most"
            raise Refused(400, "malformed-request", reason, headers=_CLOSE)
        if "\0" in request.raw_path:
            raise Refused(400, "malformed-request", "a path has no null character", headers=_CLOSE)
        if "Origin" in headers:
            _check_origin(headers["Origin"], hosts[0])
        if headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise Refused(
                415, "compressed", "compressed bodies are not taken: send it as it is", headers=_CLOSE
            )
        if headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
            raise Refused(
                400, "malformed-request", "no Transfer-Encoding but chunked is known", headers=_CLOSE
            )
        if len(headers.get("Content-Length", "")) > _DIGITS_MAX:
            raise Refused(400, "malformed-request", "a Content-Length has a few digits", headers=_CLOSE)
        if (request.content_length or 0) > self._settings.body_bytes_max:
            raise too_large(self._settings.body_bytes_max)
        if "Upgrade" in headers:
            raise Refused(400, "no-upgrade", "this server speaks HTTP/1.1 and nothing else", headers=_CLOSE)

    def _check_host(self, host: str) -> None:
        name = host_name(host).removeprefix(SYNC_PREFIX)
        known = name == "localhost" or name.endswith(".localhost") or name in self._settings.host_names
        if not known and not _is_address(name):
            raise Refused(
                421, "unknown-host", f"this server is not called {name[:100]!r}: allow it with --allow-host"
            )
        if len(self._hosts) < _KNOWN_MAX:
            self._hosts.add(host)

    async def admit(self, exchange: Exchange, signer: str | None) -> str | None:
        """Whose request it is: the name of a key, or None for anybody.

        ``signer`` is who has signed the request in another way that counts. Raises Refused.
        """
        name = signer
        if name is None and (self._settings.access_keys or await self._keyring.known()):
            name = await self._keyring.owner(_bearer(exchange.request.headers.get("Authorization", "")))
            if name is None:
                raise Refused(
                    401,
                    "unauthenticated",
                    "name a key: Authorization: Bearer KEY; `detent keys create NAME` makes one",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        self._ration(exchange, name)
        return name

    def _ration(self, exchange: Exchange, name: str | None) -> None:
        rate = self._settings.requests_per_second
        if rate is None and name is None and self._is_local:
            return
        allowance = self._allowance(name or f"from {exchange.request.remote}", rate or 1000.0)
        taken = allowance.take()
        exchange.headers.update(allowance.headers())
        if not taken:
            raise Refused(
                429,
                "too-many-requests",
                "more requests than this server takes from one client: try again later",
                headers={"Retry-After": str(allowance.wait())},
            )

    def _allowance(self, principal: str, rate: float) -> Allowance:
        allowance = self._allowances.pop(principal, None) or Allowance(rate)
        self._allowances[principal] = allowance
        if len(self._allowances) > _PRINCIPALS_MAX:
            del self._allowances[next(iter(self._allowances))]
        return allowance


class Allowance:
    """What one principal may still ask: ``rate`` requests a second, twice that at once after a pause."""

    __slots__ = ("_at", "_left", "_rate", "_size")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._size = max(1.0, 2 * rate)
        self._left = self._size
        self._at = monotonic()

    def take(self) -> bool:
        """One request; False if there is none left."""
        now = monotonic()
        self._left = min(self._size, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def wait(self) -> int:
        """Whole seconds until there is one again."""
        return max(1, round((1 - self._left) / self._rate + 0.5))

    def headers(self) -> Mapping[str, str]:
        """The allowance as clients read it."""
        return {
            "RateLimit-Limit": str(round(self._size)),
            "RateLimit-Remaining": str(int(self._left)),
            "RateLimit-Reset": str(round((self._size - self._left) / self._rate + 0.5)),
        }


_CLOSE = {"Connection": "close"}


def host_name(host: str) -> str:
    """The name or address in a Host header, without its port, in small letters."""
    if host.startswith("["):
        return host.partition("]")[0][1:].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    # Whoever rebinds a name to this machine's address sends the name: an address is nobody's trick.
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _check_origin(origin: str, host: str) -> None:
    if origin not in (f"http://{host}", f"https://{host}"):
        raise Refused(403, "foreign-origin", "requests of web pages from elsewhere are not answered")


def _bearer(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
