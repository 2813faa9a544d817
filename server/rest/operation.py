"""Operations of the REST API: functions with types, which are checked on the way in and described to clients.

The annotations of a function are the one source: ``query`` and ``body`` say what it takes, what it returns says what
it answers, and ``{name}`` in its path is a member of ``call.params``.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import unquote_plus

import msgspec
from aiohttp import web

from detent.core.values import JSON, Written, decode, encode
from detent.runtime.engine import Engine
from detent.store.base import Store

from ..exchange import Exchange
from ..refusals import Refused
from ..service import Service
from .words import in_words

T = TypeVar("T")

JSON_TYPE = "application/json"
IDEMPOTENCY_KEY = "Idempotency-Key"
#: Says of an answer that it was given before.
REPLAYED = "Idempotent-Replayed"
_KEYED = {
    IDEMPOTENCY_KEY: "Up to 255 characters of your choice. The same request again with the same key changes "
    "nothing and gets the same answer."
}

PARAMETERS_MAX = 100
_OPERATOR = re.compile("=|[<>].", re.DOTALL)


class Shape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What goes in or out: an object whose members are the fields, in camel case.

    In a query a field that is a list, such as ``attr``, takes the parameters whose names begin with ``attr.``: what
    follows in each, with its operator and value, as one text.
    """


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """An answer with more than its value: headers, or another status than the operation's."""

    value: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Nothing:
    """The answer without a body."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``params`` are the parts of the path, decoded. ``key`` is one that this client has for this operation
    on this resource, where it sent an Idempotency-Key."""

    exchange: Exchange
    params: Mapping[str, str]
    key: str | None = None

    @property
    def service(self) -> Service:
        return self.exchange.service

    @property
    def engine(self) -> Engine:
        return self.exchange.service.engine

    @property
    def store(self) -> Store:
        return self.exchange.service.engine.store

    @property
    def now(self) -> int:
        """The time in milliseconds."""
        return self.exchange.service.clock.now()

    def header(self, name: str) -> str | None:
        """A header of the request."""
        return self.exchange.request.headers.get(name)


@dataclass(frozen=True)
class Operation:
    """``status`` is that of its usual answer, ``also`` says which others it has and when.

    ``headers`` are those of the request that it looks at, ``gives`` those that each answer of its has if it was done:
    names, with what they say. ``keyed`` ones are done once for all requests with the same
    Idempotency-Key. ``media`` is given where it answers with something else than JSON: then ``run`` makes the response
    itself. ``strays`` is said of parameters that are not known.
    """

    method: str
    path: str
    run: Callable[..., Awaitable[Any]]
    name: str
    summary: str
    description: str
    tag: str
    status: int
    also: Mapping[int, str]
    headers: Mapping[str, str]
    gives: Mapping[str, str]
    keyed: bool
    media: tuple[str, ...]
    strays: str
    query: type[Shape] | None
    body: Any
    body_optional: bool
    result: Any

    async def answer(self, call: Call) -> web.StreamResponse:
        """Check what was sent, run, and spell the answer. Raises Refused, DetentError."""
        arguments: dict[str, Any] = {}
        arguments["query"] = self._read_query(call)
        if self.query is None:
            del arguments["query"]
        sent = None
        if self.body is not None:
            sent = await self._read_json(call)
            arguments["body"] = self._read_body(sent)
        key = _key(call) if self.keyed else None
        if key is None:
            return await self._run(call, arguments)
        request = hashlib.sha256(encode([sent, call.header("If-Match")])).hexdigest()

        async def do() -> bytes:
            return _kept(await self._run(replace(call, key=key), arguments))

        done = await call.service.idempotency.once(key, request, do)
        return _given(done.answer, repeated=done.repeated)

    async def _run(self, call: Call, arguments: Mapping[str, Any]) -> web.StreamResponse:
        answer = await self.run(call, **arguments)
        if isinstance(answer, web.StreamResponse):
            return answer
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        status = reply.status or self.status
        if status == 204 or isinstance(reply.value, Nothing):
            return web.Response(status=status, headers=reply.headers)
        return web.Response(
            status=status, body=text_of(reply.value), content_type=JSON_TYPE, headers=reply.headers
        )

    def _read_query(self, call: Call) -> Any:
        parts = [part for part in call.exchange.request.rel_url.raw_query_string.split("&") if part]
        if len(parts) > PARAMETERS_MAX:
            raise Refused(400, "invalid-query", f"there may be {PARAMETERS_MAX} parameters, and no more")
        given: dict[str, Any] = {}
        for part in parts:
            name, _, value = (unquote_plus(each) for each in part.partition("="))
            list_name, dot, rest = name.partition(".")
            if dot and list_name in self.lists:
                # What holds an operator already is whole: a form writes = behind every name.
                is_whole = not value and _OPERATOR.search(rest)
                given.setdefault(list_name, []).append(rest if is_whole else f"{rest}={value}")
                continue
            if name in given:
                raise Refused(400, "invalid-query", f"the parameter {name[:100]!r} is given twice")
            if name not in self.parameters:
                raise Refused(400, "invalid-query", f"there is no parameter {name[:100]!r}{self._known()}")
            given[name] = value
        if self.query is None:
            return None
        try:
            return msgspec.convert(given, self.query, strict=False)
        except msgspec.ValidationError as error:
            raise Refused(400, "invalid-query", in_words(error, self.query)) from None

    def _known(self) -> str:
        names = [*self.parameters, *(f"{name}.NAME" for name in self.lists)]
        return (
            f"; there {'is' if len(names) == 1 else 'are'} {', '.join(names)}" if names else ""
        ) + self.strays

    @cached_property
    def parameters(self) -> Sequence[str]:
        """The names of its parameters."""
        return [field.encode_name for field in self._fields() if field.name not in self.lists]

    @cached_property
    def lists(self) -> Sequence[str]:
        """The parameters whose names go on behind a dot."""
        return [field.name for field in self._fields() if get_origin(_bare(field.type)) is list]

    @cached_property
    def _texts(self) -> Sequence[str]:
        """The fields of its body that hold names and other texts of ours, which are Unicode; JSON can spell more."""
        fields = msgspec.structs.fields(self.body)
        return [field.name for field in fields if Any not in (field.type, *get_args(field.type))]

    def _fields(self) -> Sequence[msgspec.structs.FieldInfo]:
        return () if self.query is None else msgspec.structs.fields(self.query)

    async def _read_json(self, call: Call) -> JSON:
        text = await call.exchange.body()
        if not text and self.body_optional:
            text = b"{}"
        elif (media := call.exchange.request.content_type) != JSON_TYPE:
            raise Refused(
                415, "not-json", f"send the body as {JSON_TYPE}, not as {media[:100]} (curl does with --json)"
            )
        try:
            return await call.service.desk.parse(text)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "malformed-json", f"the body is no JSON: {str(error)[:300]}") from None

    def _read_body(self, value: JSON) -> Any:
        try:
            body = msgspec.convert(value, self.body)
            for name in self._texts:
                if isinstance(text := getattr(body, name), str):
                    text.encode()
        except msgspec.ValidationError as error:
            raise Refused(400, "invalid-body", in_words(error, self.body)) from None
        except UnicodeEncodeError:
            raise Refused(
                400, "invalid-body", "half of a surrogate pair may stand in JSON values only"
            ) from None
        return body


def operation(
    method: str,
    path: str,
    *,
    tag: str,
    status: int = 200,
    also: Mapping[int, str] | None = None,
    headers: Mapping[str, str] | None = None,
    gives: Mapping[str, str] | None = None,
    keyed: bool = False,
    media: tuple[str, ...] = (),
    strays: str = "",
    body_optional: bool = False,
) -> Callable[[Callable[..., Awaitable[Any]]], Operation]:
    """An operation of the function below; its docstring is what is said of it."""

    def wrap(run: Callable[..., Awaitable[Any]]) -> Operation:
        hints = get_type_hints(run)
        summary, _, description = (inspect.getdoc(run) or "").partition("\n")
        result = hints.get("return")
        if get_origin(result) is Reply:
            (result,) = get_args(result)
        return Operation(
            method,
            path,
            run,
            run.__name__,
            summary.rstrip("."),
            description.strip(),
            tag,
            status,
            dict(also or {}),
            {**(headers or {}), **(_KEYED if keyed else {})},
            dict(gives or {}),
            keyed,
            media,
            strays,
            hints.get("query"),
            hints.get("body"),
            body_optional,
            result,
        )

    return wrap


def _key(call: Call) -> str | None:
    """What the key of a request stands for in the store: others' keys, and those of other requests, are others."""
    given = call.header(IDEMPOTENCY_KEY)
    if given is None:
        return None
    if not (0 < len(given) <= 255 and given.isprintable()):
        raise Refused(400, "invalid-idempotency-key", "a key has 1 to 255 printable characters")
    request = call.exchange.request
    named = [call.exchange.principal, request.method, request.rel_url.raw_path, given]
    return hashlib.sha256(encode(named)).hexdigest()


class _Kept(msgspec.Struct, array_like=True):
    """An answer as a key keeps it."""

    status: int
    headers: dict[str, str]
    body: bytes


def _kept(response: web.StreamResponse) -> bytes:
    assert isinstance(response, web.Response)
    body = response.body if isinstance(response.body, bytes) else b""
    return msgspec.msgpack.encode(_Kept(response.status, dict(response.headers), body))


def _given(kept: bytes, *, repeated: bool) -> web.Response:
    answer = msgspec.msgpack.decode(kept, type=_Kept)
    headers = answer.headers | ({REPLAYED: "true"} if repeated else {})
    return web.Response(status=answer.status, headers=headers, body=answer.body or None)


def _bare(kind: Any) -> Any:
    """A type without what is said of it."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def text_of(value: Any) -> bytes:
    """A value with shapes in it as JSON. What is Written stands in it as it is."""
    # What is not finite comes in nowhere, so that nobody has to look for it here.
    try:
        return msgspec.json.encode(value, enc_hook=_as_raw)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return encode(msgspec.to_builtins(value, enc_hook=_as_value))


def _as_raw(part: Written) -> msgspec.Raw:
    return msgspec.Raw(part.text)


def _as_value(part: Written) -> JSON:
    return decode(part.text)
