"""Where an HTTP task goes, and the named connections that hold what a definition must not.

``https://api.example.com/charges#connection=billing`` sends the headers of the connection ``billing``; so does
``http:invoke`` with the connection's ARN. The environment variable ``DETENT_CONNECTION_BILLING`` describes it as a
JSON object::

    {"origin": "https://api.example.com", "headers": {"Authorization": "Bearer ..."}}

For ``http:invoke`` it may have ``query`` and ``body`` as well, which are added to those of the task. All of it goes
to the connection's origin and nowhere else, whatever a definition says, and is kept out of every message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

from ...core.parameters import is_header, texts_of
from ...core.values import JSON
from .errors import HandlersError
from .payloads import parse

#: What the name of a connection's environment variable begins with.
CONNECTION_PREFIX = "DETENT_CONNECTION_"

_NAME = re.compile(r"^[A-Za-z0-9_-]+$")
#: What an ARN may hold in the name of a connection, and the name of a variable may not.
_NOT_IN_VARIABLES = re.compile(r"[.-]")
_MEMBERS = {"origin", "headers", "query", "body"}
_HOST = re.compile(r"^[A-Za-z0-9._:-]+$")
_PORTS = {"http": 80, "https": 443}
#: A secret's part shorter than this is not looked for in texts: it would be found everywhere.
_SECRET_CHARACTERS_MIN = 6


Origin: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Connection:
    """What is added to requests that go to ``origin`` (scheme, host, port)."""

    origin: Origin
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    body: Mapping[str, JSON] = field(default_factory=dict, repr=False)

    def without_secrets(self, text: str) -> str:
        """The text with every value that the connection adds, and every word of a header, blotted out."""
        values = [
            *self.headers.values(),
            *_texts(list(self.query.values())),
            *_texts(list(self.body.values())),
        ]
        return blotted(text, values)


def blotted(text: str, values: Iterable[str]) -> str:
    """The text without the values, and without the words in them."""
    for value in values:
        for secret in sorted({value, *value.split()}, key=len, reverse=True):
            if len(secret) >= _SECRET_CHARACTERS_MIN:
                text = text.replace(secret, "***")
    return text


def _texts(value: JSON) -> list[str]:
    """Every text in a value."""
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for member in members for text in _texts(member)]


@dataclass(frozen=True, slots=True)
class Target:
    """The URL of an HTTP task, its origin (scheme, host, port), and the headers to send there."""

    url: str
    origin: Origin
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """Host and port, for messages: a whole URL may hold secrets."""
        return f"{self.origin[1]}:{self.origin[2]}"

    def without_secrets(self, text: str) -> str:
        """The text with every value of the headers, and every word of one, blotted out."""
        return blotted(text, self.headers.values())


def target_of(resource: str, environment: Mapping[str, str]) -> Target:
    """Read the Resource of an HTTP task. Raises HandlersError if it is no URL, or its connection is not sound."""
    url, _, fragment = resource.partition("#")
    origin = origin_of(url)
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
    connection = connection_named(named[0], environment)
    require_origin(connection, named[0], origin)
    return Target(url, origin, connection.headers)


def require_origin(connection: Connection, name: str, origin: Origin) -> None:
    """Raises HandlersError for a request that would carry what the connection adds to another place."""
    allowed = connection.origin
    if origin != allowed:
        raise HandlersError(
            f"the connection {name!r} is for {allowed[0]}://{allowed[1]}:{allowed[2]} only, and the task "
            f"goes to {origin[0]}://{origin[1]}:{origin[2]}"
        )


def origin_of(url: str) -> Origin | None:
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


def connection_named(name: str, environment: Mapping[str, str]) -> Connection:
    """The connection of a name as the environment describes it. Raises HandlersError."""
    variable = CONNECTION_PREFIX + _NOT_IN_VARIABLES.sub("_", name).upper()
    text = environment.get(variable)
    if text is None:
        raise HandlersError(
            f"there is no connection {name!r}: set {variable} to a JSON object with origin and headers"
        )
    try:
        described = parse(text.encode("utf-8", "surrogateescape"))
    except ValueError:
        described = None  # no word of the text: it holds secrets
    if not isinstance(described, dict) or not described.keys() <= _MEMBERS:
        raise HandlersError(
            f"{variable} must hold a JSON object with origin and headers, query and body, and nothing else"
        )
    origin = origin_of(described["origin"]) if isinstance(described.get("origin"), str) else None
    if origin is None:
        raise HandlersError(
            f"{variable}: origin must say where the headers may go, as https://host or https://host:port"
        )
    headers, query, body = (described.get(name, {}) for name in ("headers", "query", "body"))
    if not isinstance(headers, dict) or not all(is_header(*header) for header in headers.items()):
        raise HandlersError(
            f"{variable}: headers must be an object of header names and their texts, without line breaks"
        )
    if not isinstance(query, dict) or any(texts_of(value) is None for value in query.values()):
        raise HandlersError(f"{variable}: query must be an object of names and texts")
    if not isinstance(body, dict):
        raise HandlersError(
            f"{variable}: body must be an object, whose members are added to that of the task"
        )
    return Connection(origin, headers, query, body)
