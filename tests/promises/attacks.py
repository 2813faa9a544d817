"""Requests that nobody means well with, made from what the two protocols say of themselves, the same ones each time.

An :class:`Attack` is one request by a client that speaks HTTP; those that do not stand in ``raw_attacks.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

import botocore.session

ROLE = "arn:aws:iam::123456789012:role/any"
PREFIX = "arn:aws:states:us-east-1:123456789012"

#: Where an answer has no end by nature, or is given after a wait by nature.
_STREAMS = ("/v1/events",)


@dataclass(frozen=True)
class Attack:
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def speaks_aws(self) -> bool:
        return "X-Amz-Target" in self.headers

    def __str__(self) -> str:
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        return f"{self.method} {self.path[:100]} {target} {(self.body or b'')[:160]!r}"


def aws(operation: str, body: Any) -> Attack:
    """A call of an operation with some body: bytes as they are, anything else as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Attack("POST", "/", sent, {"X-Amz-Target": f"AWSStepFunctions.{operation}"})


#: Bodies that are no JSON, or JSON of the worst kind.
BODIES: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]",
    b"0",
    b'"x"',
    b"{",
    b"}",
    b"{}{}",
    b"{]",
    b"{'a': 1}",
    b'{"a": 1,}',
    b"\x00",
    b'{"a": "\x00"}',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    '{"a": 1}'.encode("utf-16"),
    '{"a": 1}'.encode("utf-32"),
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\xc0\xaf"}',
    b'{"\\ud800": 1}',
    b'{"a": "\\ud800\\ud800"}',
    b'{"a": "\\u12"}',
    b'{"a": "\\x41"}',
    b"NaN",
    b'{"input": NaN}',
    b'{"maxResults": Infinity}',
    b'{"a": 1e999}',
    b'{"maxResults": 1e999}',
    b'{"maxResults": 1E400000000}',
    b'{"a": ' + b"9" * 20_000 + b"}",
    b'{"maxResults": ' + b"9" * 20_000 + b"}",
    b'{"a": 0.' + b"1" * 100_000 + b"}",
    b"[" * 100_000 + b"]" * 100_000,
    b"[" * 1_500_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"a": 1, "a": 2}',
    b'{"name": "a", "name": "b", "stateMachineArn": "a", "stateMachineArn": "b"}',
    b"{" + b",".join(b'"k%d": %d' % (n, n) for n in range(20_000)) + b"}",
    b'{"' + b"k" * 1_000_000 + b'": 1}',
    b'{"__proto__": {"a": 1}, "constructor": 1, "__class__": 1}',
    b"<xml/>",
    b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
    b"a=1&b=2",
)

#: Values of every kind that is wrong somewhere.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**70,
    0.5,
    -0.0,
    1e308,
    "",
    " ",
    "\0",
    "a\nb",
    "\ud800",
    "\udfff\ud800",
    "é",
    "😀" * 100,
    "\u202e\u2066",
    "../../etc/passwd",
    "..\\..\\windows",
    "%2e%2e%2f",
    "file:///etc/passwd",
    "' OR 1=1 --",
    "'; DROP TABLE execution; --",
    "<script>alert(1)</script>",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "{% $eval('1') %}",
    "$(id)",
    "NaN",
    "null",
    "a" * 81,
    "x" * 300_000,
    "{" * 5_000,
    "[" * 200_000,
    '{"a":' * 100_000,
    [],
    {},
    [[]],
    [None] * 1_000,
    [{}] * 1_000,
    {"a": {"b": {"c": []}}},
    {"key": None},
    {str(n): n for n in range(500)},
)

#: Names of things that are none, or none of this kind.
ARNS: tuple[str, ...] = (
    "arn",
    "arn:",
    ":" * 10,
    ":" * 5_000,
    "arn:aws:states",
    "arn:aws:states:::",
    "arn:aws:lambda:us-east-1:123456789012:function:f",
    "arn:aws:iam::123456789012:role/any",
    "arn:aws:s3:::bucket",
    "arn:aws:states:us-east-1:123456789012:stateMachine:",
    f"{PREFIX}:stateMachine:" + "n" * 2_000,
    f"{PREFIX}:stateMachine:a b",
    f"{PREFIX}:stateMachine:a/b",
    f"{PREFIX}:stateMachine:../../x",
    f"{PREFIX}:stateMachine:nobody",
    f"{PREFIX}:stateMachine:nobody:0",
    f"{PREFIX}:stateMachine:nobody:-1",
    f"{PREFIX}:stateMachine:nobody:{'9' * 400}",
    f"{PREFIX}:stateMachine:nobody:$LATEST",
    f"{PREFIX}:stateMachine:*",
    f"{PREFIX}:stateMachine:\0",
    f"{PREFIX}:stateMachine:\ud800",
    f"{PREFIX}:stateMachine:é",
    f"{PREFIX}:execution:nobody:x",
    f"{PREFIX}:execution:a:b:c:d:e",
    f"{PREFIX}:execution::",
    "arn:aws:states:::execution:../..:..",
    f"{PREFIX}:express:nobody:x:y",
    f"{PREFIX}:activity:nobody",
    f"{PREFIX}:activity:" + "a" * 100,
    f"{PREFIX}:mapRun:nobody/x:y",
    f"{PREFIX}:mapRun:/:",
    f"{PREFIX}:nothing:x",
    "arn:aws:states:us-east-1:999999999999:stateMachine:other",
    "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:other",
    "arn:aws:states:mars-1:123456789012:stateMachine:other",
    "ARN:AWS:STATES:us-east-1:123456789012:stateMachine:x",
    " " + f"{PREFIX}:stateMachine:x",
    f"{PREFIX}:stateMachine:x\r\nX-Header: y",
    f"{PREFIX}:stateMachine:x#TestCase",
    f"{PREFIX}:stateMachine:x?a=b",
    f"{PREFIX}:stateMachine:x%00",
)

#: Words in paths, queries and headers.
WORDS: tuple[str, ...] = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "%",
    "%zz",
    "%00",
    "%ff%fe",
    "%c0%ae",
    "%ed%a0%80",
    "%0d%0aX: y",
    "\0",
    "\ud800",
    "😀",
    "-1",
    "0",
    "00",
    "1e9",
    "0x10",
    "٣",
    "99999999999999999999999",
    "null",
    "true",
    "NaN",
    "' OR 1=1 --",
    "a;b",
    "a,b",
    "a:b",
    "a:b:c",
    ":",
    "::",
    "a\r\nX: y",
    "x" * 3_000,
    "P1Y",
    "999999m",
    "0s",
    "2020-13-45T99:99:99Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+23:59",
    "2026-11-21T10:15:00.123456789123Z",
    "$where",
    "*",
    "{}",
    "[]",
    "RUNNING,FAILED",
    "YQ",
    "LTE",
    "OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    *ARNS,
)


def escaped(word: str) -> str:
    """A word as it stands in a URL; one that begins with % is meant as it is."""
    return quote(word.encode("utf-8", "surrogatepass"), safe="%" if word.startswith("%") else "")


# The AWS protocol, from the model of the service that SDKs have


def aws_attacks(known: Mapping[str, Any]) -> Iterator[Attack]:
    """Every operation with every body, and every field of it, however deep, with values that are none of its own.

    ``known`` are values of fields with which a request means something that is there.
    """
    model = botocore.session.get_session().get_service_model("stepfunctions")
    for number, operation in enumerate(model.operation_names):
        shape = model.operation_model(operation).input_shape
        sound = {name: _sound(name, known, inner) for name, inner in shape.members.items()}
        base = {name: value for name, value in sound.items() if name in shape.required_members}
        for body in BODIES:
            yield aws(operation, body)
        for place, inner in _places(shape):
            values = [*VALUES, *(ARNS if place[-1].lower().endswith("arn") else ())]
            # Of the same field in another operation other values.
            values = values[number % 3 :: 3]
            for value in values:
                yield aws(operation, _with(base, place, value, inner))
        yield aws(operation, base | {"unknown": 1, "Name": "x", "": {}})
    for target in ("", "AWSStepFunctions.", "AWSStepFunctions.Nothing", "x" * 5_000, "AmazonSQS.SendMessage"):
        yield Attack("POST", "/", b"{}", {"X-Amz-Target": target})
    for authorization in (
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=/////",
        "Bearer " + "x" * 5_000,
        "é",
    ):
        yield Attack(
            "POST", "/", b"{}", {**aws("ListActivities", {}).headers, "Authorization": authorization}
        )


def _sound(name: str, known: Mapping[str, Any], shape: Any) -> Any:
    if name in known:
        return known[name]
    if shape.type_name == "structure":
        return {}
    return {"list": [], "integer": 1, "long": 1, "float": 1.0, "boolean": False}.get(shape.type_name, "x")


def _places(shape: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, inner in shape.members.items():
        yield (*place, name), inner
        nested = inner.member if inner.type_name == "list" else inner
        if nested.type_name == "structure":
            yield from _places(nested, (*place, name))


def _with(base: Mapping[str, Any], place: tuple[str, ...], value: Any, shape: Any) -> dict[str, Any]:
    """The base with a value at a place below; lists on the way have one item."""
    for name in reversed(place[1:]):
        value = {name: value}
    lists = {"tags", "routingConfiguration"}
    return {**base, place[0]: [value] if len(place) > 1 and place[0] in lists else value}


# REST, from its OpenAPI document


def rest_attacks(document: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Attack]:
    """Every route with words in each part of its path, in its query and headers, and with every body and member.

    ``known`` are parts of paths that mean something that is there.
    """
    number = 0
    for path, item in document["paths"].items():
        if path in _STREAMS:
            continue
        real = re.sub(r"\{(\w+)\}", lambda part: quote(known.get(part[1], "nobody"), safe=""), path)
        for method, operation in item.items():
            number += 1
            method = method.upper()
            body = _members(document, operation)
            is_stream = "text/event-stream" in json.dumps(operation.get("responses", {}))
            for word in WORDS[number % 3 :: 3]:
                if "{" in path:
                    yield Attack(method, re.sub(r"\{\w+\}", lambda _, w=word: escaped(w), path), b"{}")
            if is_stream:
                continue
            for parameter in operation.get("parameters", ()):
                yield from _parameters(method, real, parameter, WORDS[number % 2 :: 2])
            if "requestBody" in operation:
                for sent in BODIES[number % 2 :: 2]:
                    yield Attack(method, real, sent)
                for member in body:
                    for value in VALUES[number % 2 :: 2]:
                        yield Attack(method, real, json.dumps({member: value}).encode())
                for media in (
                    "",
                    "text/plain",
                    "application/xml",
                    "application/json; charset=utf-16",
                    "a/b" * 999,
                ):
                    yield Attack(method, real, b"{}", {"Content-Type": media})
    for word in WORDS:
        for path in ("/{}", "/v1/{}", "/v1/machines/a/{}", "/v1/admin/{}", "//{}", "/healthz/{}", "/docs/{}"):
            yield Attack("GET", path.format(escaped(word)))
        for query in ("{}=1", "limit=1&limit={}", "limit={}", "where={}"):
            yield Attack("GET", "/v1/executions?" + query.format(escaped(word)))
    yield Attack("GET", "/v1/executions?" + "&".join(f"a{n}=1" for n in range(2_000))[:7_000])
    for method in ("HEAD", "OPTIONS", "TRACE", "PATCH", "PUT", "DELETE", "PROPFIND", "SEARCH", "M-SEARCH"):
        for path in ("/", "/v1/machines", "/healthz", "/nowhere", "/metrics", "/openapi.json", "/docs"):
            yield Attack(method, path)


def _parameters(
    method: str, path: str, parameter: Mapping[str, Any], words: Iterable[str]
) -> Iterator[Attack]:
    name = parameter["name"]
    if parameter["in"] == "query":
        for word in words:
            # A wait that means something is a wait by nature.
            if name != "wait" or not re.fullmatch(r"[0-9]+(ms|s|m)", word):
                yield Attack(method, f"{path}?{name}={escaped(word)}", b"{}")
    elif parameter["in"] == "header":
        for word in words:
            if word.isascii() and word.isprintable():
                yield Attack(method, path, b"{}", {name: word})


def _members(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    schema = next(iter(content.values()), {}).get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return list(schema.get("properties", ()))


def sample(attacks: Iterable[Attack], count: int) -> list[Attack]:
    """So many of them, the same ones each time."""
    found = list(attacks)
    return Random(1).sample(found, min(count, len(found)))
