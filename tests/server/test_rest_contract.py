"""What the OpenAPI document says holds of whatever is asked: no 5xx, and no answer that it does not describe.

Requests are made of the document (schemathesis), the same ones in every run, and most of them about things that exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from itertools import count
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from detent.server.rest.api import OPERATIONS
from detent.server.settings import Settings

from .api import FAIL, HOLD, PASS, Api, Told
from .conftest import running_server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 20
#: Headers that any answer over HTTP may have, and no document repeats.
PLAIN = {"connection", "content-length", "content-type", "date", "server"}
#: Those of pictures, which browsers show.
PLAIN_OF_PICTURES = {"content-security-policy"}

#: Streams have no end of their own.
ASKED = [operation for operation in OPERATIONS if operation.media != ("text/event-stream",)]

WORKERS = "arn:aws:states:us-east-1:123456789012:activity:workers"


def task(resource: str) -> Any:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}}


MACHINES = {"pass": PASS, "fail": FAIL, "hold": HOLD, "ask": task("signal:answer"), "work": task(WORKERS)}


class Place:
    """A server with something of everything: ``known`` has what a path, a parameter or a body can name."""

    def __init__(self, url: str) -> None:
        self.api = Api(url)
        self.schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        self.document = self.api("GET", "/openapi.json").json
        self.session = requests.Session()
        self._numbers = count()

    def fill(self) -> Mapping[str, Sequence[Any]]:
        """New things of every kind: earlier requests may have changed, ended or deleted those before."""
        number = next(self._numbers)
        names = {name: f"{name}{number}" for name in MACHINES}
        self.api("POST", "/v1/activities", {"name": "workers"})
        for name, definition in MACHINES.items():
            search = {"n": "$.input.n", "out": "$.output"}
            self._do(
                "/v1/machines", {"name": names[name], "definition": definition, "searchAttributes": search}
            )
            self._do(f"/v1/machines/{names[name]}/versions")
        self._do(f"/v1/machines/{names['pass']}/deploy", {"version": 1})
        ids = [self._start(names[name], f"x{number}") for name in MACHINES]
        ids.append(paused := self._start(names["ask"], f"y{number}"))
        self._do(f"/v1/executions/{paused}/pause")
        return {
            "machine": [
                *names.values(),
                f"arn:aws:states:us-east-1:123456789012:stateMachine:{names['pass']}",
            ],
            # More of those with which anything can be done.
            "execution": [*ids, f"{names['pass']}:x{number}", paused, paused, ids[3], ids[1], ids[1]],
            "version": [1],
            "alias": ["live"],
            "activity": ["workers", WORKERS],
            "definition": list(MACHINES.values()),
            "state": ["A", "T"],
            "token": [self._do("/v1/activities/workers/poll", {"wait": "30s"})["token"]],
            "name": ["answer", f"x{number}"],
            "context": [None],
            "mock": [{"result": 1}],
            "searchAttributes": [{"n": "$.input.n"}],
            "If-Match": ["*"],
        }

    def _start(self, machine: str, name: str) -> str:
        input = {"seconds": 3600} if machine.startswith("hold") else {"n": 1}
        wait = "30s" if machine.startswith(("pass", "fail")) else "0ms"
        body = {"machine": machine, "name": name, "input": input}
        id: str = self._do(f"/v1/executions?wait={wait}", body)["id"]
        return id

    def _do(self, path: str, body: Any = None) -> Told:
        told = self.api("POST", path, body)
        assert told.status < 300, told.body
        return told


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Clients are rationed there, so that answers have all the headers that they can have; not so that one notices."""
    settings = Settings(port=0, drain_seconds=1.0, requests_per_second=1e6)
    with running_server(settings, {}) as server:
        yield Place(server.url)


def described(document: Any, operation: Any, status: int) -> set[str]:
    """The headers that the document gives the answers of an operation with a status."""
    responses = document["paths"][operation.path][operation.method.lower()]["responses"]
    return {name.lower() for name in responses.get(str(status), responses["default"])["headers"]}


def naming_what_exists(case: Any, known: Mapping[str, Sequence[Any]], draw: Any) -> None:
    """Have a request name things that exist, in one case out of eight the nonsense that was made up; and not wait."""
    for part in (case.path_parameters, case.query, case.headers, case.body):
        if not isinstance(part, MutableMapping):
            continue
        for name in [*part]:
            if name in known and draw(st.integers(0, 7)):
                value = draw(st.sampled_from(known[name]))
                part[name] = str(value) if part is case.path_parameters else value
        if "wait" in part:
            part["wait"] = draw(st.sampled_from(["1ms", "0s"]))


@pytest.mark.parametrize("operation", ASKED, ids=lambda operation: operation.name)
def test_every_answer_is_one_that_the_document_describes(place: Place, operation: Any) -> None:
    asked = place.schema[operation.path][operation.method]
    known = place.fill()
    modes = [GenerationMode.POSITIVE]
    if operation.query is not None or operation.body is not None:
        modes.append(GenerationMode.NEGATIVE)
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of([asked.as_strategy(mode) for mode in modes]), st.data())
    def ask(case: Any, data: Any) -> None:
        naming_what_exists(case, known, data.draw)
        if operation.name == "poll_activity" and not (isinstance(case.body, dict) and "wait" in case.body):
            case.body = {"wait": "1ms"}
        response = case.call(session=place.session, timeout=30)
        case.validate_response(response, checks=CHECKS)
        named = {name.lower() for name in response.headers} - PLAIN
        undescribed = named - described(place.document, operation, response.status_code)
        assert undescribed <= (PLAIN_OF_PICTURES if operation.media else set())
        statuses.add(response.status_code)

    ask()
    assert min(statuses) < 400, (
        "nothing of what was asked could be done: the requests have to name what exists"
    )


def test_the_document_says_which_headers_an_answer_has(place: Place) -> None:
    known = place.fill()
    machine = known["machine"][0]
    responses = place.document["paths"]["/v1/machines/{machine}"]["get"]["responses"]
    assert responses["200"]["headers"]["ETag"]["required"]
    got = place.api("GET", f"/v1/machines/{machine}")
    named = {"etag", "x-request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}
    assert named <= {*got.headers}
    for method, path, body in (
        ("POST", "/v1/machines", {"name": "made", "definition": PASS}),
        ("POST", "/v1/machines", {"name": "made", "definition": PASS}),
        ("POST", f"/v1/machines/{machine}/clone", {"name": "cloned"}),
        ("POST", "/v1/executions", {"machine": machine, "name": "made"}),
    ):
        told = place.api(method, path, body)
        assert told.status in (200, 201, 202), told.body
        assert place.api("GET", told.headers["location"])["name"] == body["name"]


def test_the_document_says_what_a_refusal_names_in_its_headers(place: Place) -> None:
    headers = place.document["paths"]["/v1/executions"]["post"]["responses"]["default"]["headers"]
    assert {"Retry-After", "Allow", "WWW-Authenticate", "RateLimit-Limit"} <= {*headers}
    components = place.document["components"]["headers"]
    assert all(each["$ref"].rpartition("/")[2] in components for each in headers.values())
    refused = place.api("PATCH", "/v1/executions")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    settings = Settings(port=0, drain_seconds=1.0, requests_per_second=0.001)
    with running_server(settings, {}) as server:
        api = Api(server.url)
        while (limited := api("GET", "/v1/machines")).status != 429:
            assert limited.status == 200
        assert int(limited.headers["retry-after"]) > 0
