"""The request that ``http:invoke`` asks for: its parameters, and what the connection adds (resources, section 4). Pure.

Where both name a header, a query parameter or a member of the body, the connection's holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ...core.errors import RUNTIME
from ...core.limits import AWS
from ...core.parameters import texts_of
from ...core.values import JSON, encode
from .base import TaskError
from .connections import Connection

FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent. ``headers`` are in their order; ``url`` is spelled as it goes out."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None

    def described(self) -> dict[str, JSON]:
        """How TestState shows it."""
        told: dict[str, JSON] = {
            "protocol": self.url.partition(":")[0],
            "method": self.method,
            "url": self.url,
            "headers": headers_text(self.headers),
        }
        if self.body is not None:
            told["body"] = self.body.decode("utf-8", "replace")
        return told


def headers_text(headers: Iterable[tuple[str, str]]) -> str:
    """Headers in one text."""
    return "[" + ", ".join(f"{name}: {value}" for name, value in headers) + "]"


def request_of(parameters: Mapping[str, JSON], connection: Connection | None, *, region: str) -> Request:
    """The request that parameters ask for which the core has found sound. Raises TaskError."""
    added = connection or Connection(("", "", 0))
    transform: Mapping[str, Any] = parameters.get("Transform") or {}
    form = transform.get("RequestBodyEncoding") == "URL_ENCODED"
    content = _content(parameters.get("RequestBody"), added.body)
    arrays = (transform.get("RequestEncodingOptions") or {}).get("ArrayFormat", "INDICES")
    body = _body(content, arrays if form else None)
    kind = None if body is None else (FORM if form else _JSON)
    query = {**(parameters.get("QueryParameters") or {}), **added.query}
    return Request(
        parameters["Method"],
        _with_query(parameters["ApiEndpoint"], query),
        _headers(parameters.get("Headers") or {}, added.headers, kind, region),
        body,
    )


def _headers(
    given: Mapping[str, JSON], added: Mapping[str, str], kind: str | None, region: str
) -> list[tuple[str, str]]:
    names = {name.lower() for name in added}
    headers = [
        (name, text)
        for name, value in given.items()
        if name.lower() not in names
        for text in texts_of(value) or ()
    ]
    headers += added.items()
    if kind is not None and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", kind))
    return [
        *headers,
        ("User-Agent", f"Amazon|StepFunctions|HttpInvoke|{region}"),
        ("Range", f"bytes=0-{AWS.payload_bytes}"),
    ]


def _with_query(url: str, query: Mapping[str, JSON]) -> str:
    pairs = [
        f"{_quoted(name)}={_quoted(text)}" for name, value in query.items() for text in texts_of(value) or ()
    ]
    if not pairs:
        return url
    return f"{url}{'&' if '?' in url else '?'}{'&'.join(pairs)}"


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _content(given: JSON, added: Mapping[str, JSON]) -> JSON:
    if not added:
        return given
    if given is None:
        return dict(added)
    if not isinstance(given, Mapping):
        raise TaskError(
            RUNTIME,
            "The RequestBody is no object, and so the body parameters of the connection cannot be added.",
        )
    return {**given, **added}


def _body(content: JSON, arrays: str | None) -> bytes | None:
    """A body as it is sent: a form where arrays have a format, a text as it is, JSON else."""
    if content is None:
        return None
    if arrays is not None:
        if not isinstance(content, Mapping):
            raise TaskError(RUNTIME, "The RequestBody must be an object to be URL_ENCODED.")
        pairs = (pair for name, value in content.items() for pair in _pairs(_quoted(name), value, arrays))
        return "&".join(pairs).encode()
    return content.encode("utf-8", "replace") if isinstance(content, str) else encode(content)


def _pairs(name: str, value: JSON, arrays: str) -> Iterator[str]:
    """The pairs of a form for one member; an object's members are named in brackets."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _pairs(f"{name}[{_quoted(key)}]", inner, arrays)
    elif isinstance(value, list) and arrays == "COMMAS":
        yield f"{name}={','.join(_quoted(_text(one)) for one in value)}"
    elif isinstance(value, list) and arrays != "NONE":
        for index, inner in enumerate(value):
            place = {"INDICES": f"{name}[{index}]", "BRACKETS": f"{name}[]"}.get(arrays, name)
            yield from _pairs(place, inner, arrays)
    else:
        yield f"{name}={_quoted(_text(value))}"


def _text(value: JSON) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else encode(value).decode()
