"""The OpenAPI 3.1 document: made of the operations, so that it says what is checked and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from detent.core.values import JSON
from detent.search import NAME_PATTERN

from ..exchange import REQUEST_ID
from ..refusals import PROBLEM
from .operation import IDEMPOTENCY_KEY, JSON_TYPE, REPLAYED, Nothing, Operation, Shape

_PARAMETERS = {
    "activity": "An activity: its name, or its ARN.",
    "execution": "An execution: its ARN, or `MACHINE:NAME`.",
    "machine": "A state machine: its name, or its ARN.",
    "signal": "The name of a signal.",
    "version": "The number of a version.",
}
#: What is required of the values of headers.
_HEADERS = {IDEMPOTENCY_KEY: {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"}}
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
#: Headers of answers that do not depend on the operation, by the name of their component.
_ANSWERED: Mapping[str, tuple[str, str, JSON]] = {
    "requestId": (
        REQUEST_ID,
        "What the request is called in the log: the client's own `X-Request-Id`, or a new name.",
        {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    ),
    "rateLimit": ("RateLimit-Limit", "How many requests a client may make at once, after a pause.", _NUMBER),
    "rateRemaining": ("RateLimit-Remaining", "How many of them are left.", _NUMBER),
    "rateReset": ("RateLimit-Reset", "In how many seconds all of them are there again.", _NUMBER),
    "replayed": (
        REPLAYED,
        "The answer was given before, to this request with this key.",
        {"type": "string", "const": "true"},
    ),
    "retryAfter": (
        "Retry-After",
        "In how many seconds to ask again: with 429, and with 503 while the store cannot answer.",
        _NUMBER,
    ),
    "allow": ("Allow", "With 405: the methods there are.", {"type": "string"}),
    "authenticate": ("WWW-Authenticate", "With 401: how a key is named.", {"type": "string"}),
}
_ALWAYS = ("requestId", "rateLimit", "rateRemaining", "rateReset")
_REFUSED = (*_ALWAYS, "retryAfter", "allow", "authenticate")


class Problem(Shape):
    """Why a request was refused (RFC 9457), with more members where there is more to say."""

    type: Annotated[str, Meta(description="A stable name of the reason: `urn:detent:problem:NAME`.")]
    title: str
    status: int
    detail: Annotated[str, Meta(description="What is wrong, and how to mend it.")]


def document(operations: Iterable[Operation], version: str) -> JSON:
    """The document for some operations; ``version`` is that of the release."""
    operations = list(operations)
    types = [kind for operation in operations for kind in _types(operation)]
    schemas, components = msgspec.json.schema_components(
        [*types, Problem], ref_template="#/components/schemas/{name}"
    )
    components["Problem"]["additionalProperties"] = True
    of = dict(zip(map(id, types), schemas, strict=False))
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, of, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "detent",
            "version": version,
            "summary": "State machines in the Amazon States Language, durable on your own machine.",
            "description": "Errors are `application/problem+json`. Lists have pages: `next` is the `cursor` of "
            "the next one. Where API keys are configured, each request names one.",
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {
                key: {"description": description, "schema": schema}
                for key, (_, description, schema) in _ANSWERED.items()
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _types(operation: Operation) -> Iterator[Any]:
    for kind in (operation.query, operation.body, operation.result):
        if kind is not None and kind is not type(None) and kind is not Nothing:
            yield kind


def _described(operation: Operation, of: dict[int, Any], components: dict[str, Any]) -> JSON:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": list(_parameters(operation, of, components)),
        "responses": _responses(operation, of),
    }
    if operation.description:
        described["description"] = re.sub(r"\s+", " ", operation.description)
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {JSON_TYPE: {"schema": of[id(operation.body)]}},
        }
    return described


def _parameters(operation: Operation, of: dict[int, Any], components: dict[str, Any]) -> Iterator[JSON]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        schema = {"type": "string", "minLength": 1}
        description = _PARAMETERS[name]
        yield {"name": name, "in": "path", "required": True, "schema": schema, "description": description}
    if operation.query is not None:
        shape = components[of[id(operation.query)]["$ref"].rpartition("/")[2]]
        for name, schema in shape["properties"].items():
            if name in operation.lists:
                yield _with_names_behind(name, schema)
                continue
            yield {
                "name": name,
                "in": "query",
                "required": name in shape.get("required", ()),
                "schema": _without_null(schema),
            }
    for name, description in operation.headers.items():
        schema = {"type": "string", **_HEADERS.get(name, {})}
        yield {"name": name, "in": "header", "schema": schema, "description": description}


def _with_names_behind(name: str, schema: dict[str, Any]) -> JSON:
    """The parameters ``NAME.`` with whatever follows, as OpenAPI can say it."""
    names = {"pattern": rf"^{name}\.{NAME_PATTERN}[<>]?$"}
    return {
        "name": name,
        "in": "query",
        "style": "form",
        "explode": True,
        "description": schema["description"],
        "schema": {"type": "object", "propertyNames": names, "additionalProperties": {"type": "string"}},
    }


def _without_null(schema: dict[str, Any]) -> JSON:
    """The schema of a parameter, which is a text or is not there."""
    schema = {key: value for key, value in schema.items() if key != "default" or value is not None}
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        return {**{key: value for key, value in schema.items() if key != "anyOf"}, **kinds[0]}
    if None in schema.get("enum", ()):
        return {**schema, "enum": [value for value in schema["enum"] if value is not None]}
    return schema


def _responses(operation: Operation, of: dict[int, Any]) -> JSON:
    usual: dict[str, Any] = {}
    if operation.media:
        usual["content"] = {media: {"schema": {"type": "string"}} for media in operation.media}
    elif id(operation.result) in of:
        usual["content"] = {JSON_TYPE: {"schema": of[id(operation.result)]}}
    problem = {
        "headers": _common(_REFUSED),
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    headers: dict[str, JSON] = _common((*_ALWAYS, "replayed") if operation.keyed else _ALWAYS)
    for name, description in operation.gives.items():
        headers[name] = {"description": description, "required": True, "schema": {"type": "string"}}
    responses = {str(operation.status): {"description": "Done", "headers": headers, **usual}}
    for status, description in operation.also.items():
        content = usual if status < 300 and status != 204 else {}
        told = problem if status >= 300 else {"headers": headers, **content}
        responses[str(status)] = {"description": description, **told}
    responses["default"] = {"description": "Refused", **problem}
    return responses


def _common(keys: Iterable[str]) -> dict[str, JSON]:
    """Headers of the answers to any request."""
    return {_ANSWERED[key][0]: {"$ref": f"#/components/headers/{key}"} for key in keys}
