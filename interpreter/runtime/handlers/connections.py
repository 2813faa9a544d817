"""Where an HTTP task goes, and the named connections that hold what a definition must not.

``https://api.example.com/charges#connection=billing`` sends the headers of the connection ``billing``. The
environment variable ``DETENT_CONNECTION_BILLING`` describes it as a JSON object::

    {"origin": "https://api.example.com", "headers": {"Authorization": "Bearer ..."}}

Headers go to their connection's origin and nowhere else, whatever a definition says, and their values
are kept out of every message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from .errors import HandlersError
from .payloads import parse

#: What the name of a connection's environment variable begins with.
CONNECTION_PREFIX = "DETENT_CONNECTION_"

_NAME = re.compile(r"^[A-Za-z0-9_-]+$")
_HOST = re.compile(r"^[A-Za-z0-9._:-]+$")
_HEADER_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_HEADER_VALUE = re.compile(r"^[\t\x20-\x7e\x80-\xff]*$")
_PORTS = {"http": 80, "https": 443}
#: A secret's part shorter than this is not looked for in texts: it would be found everywhere.
_SECRET_CHARACTERS_MIN = 6


@dataclass(frozen=True, slots=True)
class Target:
    """The URL of an HTTP task, its origin (scheme, host, port), and the headers to send there."""

    url: str
    origin: tuple[str, str, int]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """Host and port, for messages: a whole URL may hold secrets."""
        return f"{self.origin[1]}:{self.origin[2]}"

    def without_secrets(self, text: str) -> str:
        """The text with every value of the headers, and every word of one, blotted out."""
        for value in self.headers.values():
            for secret in sorted({value, *value.split()}, key=len, reverse=True):
                if len(secret) >= _SECRET_CHARACTERS_MIN:
                    text = text.replace(secret, "***")
        return text


def target_of(resource: str, environment: Mapping[str, str]) -> Target:
    """Read the Resource of an HTTP task. Raises HandlersError if it is no URL, or its connection is not sound."""
    url, _, fragment = resource.partition("#")
    origin = _origin(url)
    if origin is None:
        raise HandlersError(
            f"{resource!r} is no URL to call: write it as https://host/path, without a user (that is what "
            "connections are for), an international name in its ASCII form (xn--...)"
        )
    if not fragment:
        return Target(url, origin)
    named = parse_qs(fragment).get("connection", [])
    if len(named) != 1 or not _NAME.match(named[0]):
        raise HandlersError(
            f"{resource!r}: after # only connection=NAME may stand (letters, digits, - and _)"
        )
    allowed, headers = _connection(named[0], environment)
    if origin != allowed:
        raise HandlersError(
            f"the connection {named[0]!r} is for {allowed[0]}://{allowed[1]}:{allowed[2]} only, and the task "
            f"goes to {origin[0]}://{origin[1]}:{origin[2]}"
        )
    return Target(url, origin, headers)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a URL; None where readers of URLs might disagree about them.

    A host that one reader takes for a name and the next for an address would pass the guards, so there are
    no users, no escapes, no letters beyond ASCII, and numbers only as a whole address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if not host or not _HOST.match(host):
            return None
        if ":" in host or host.replace(".", "").isdigit():
            ip_address(host)
    except ValueError:
        return None
    if parts.scheme not in _PORTS or "@" in parts.netloc or any(character <= " " for character in url):
        return None
    return parts.scheme, host, _PORTS[parts.scheme] if port is None else port


def _connection(name: str, environment: Mapping[str, str]) -> tuple[tuple[str, str, int], Mapping[str, str]]:
    variable = CONNECTION_PREFIX + name.upper().replace("-", "_")
    text = environment.get(variable)
    if text is None:
        raise HandlersError(
            f"there is no connection {name!r}: set {variable} to a JSON object with origin and headers"
        )
    try:
        described = parse(text.encode("utf-8", "surrogateescape"))
    except ValueError:
        described = None  # no word of the text: it holds secrets
    if not isinstance(described, dict) or not described.keys() <= {"origin", "headers"}:
        raise HandlersError(f"{variable} must hold a JSON object with origin and headers, and nothing else")
    origin = _origin(described["origin"]) if isinstance(described.get("origin"), str) else None
    if origin is None:
        raise HandlersError(
            f"{variable}: origin must say where the headers may go, as https://host or https://host:port"
        )
    headers = described.get("headers", {})
    if not isinstance(headers, dict) or not all(_is_header(*header) for header in headers.items()):
        raise HandlersError(
            f"{variable}: headers must be an object of header names and their texts, without line breaks"
        )
    return origin, headers


def _is_header(name: str, value: object) -> bool:
    return bool(_HEADER_NAME.match(name) and isinstance(value, str) and _HEADER_VALUE.match(value))
