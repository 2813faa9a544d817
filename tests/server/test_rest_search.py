"""Executions found by what is in them, over REST, the client and the command line."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from detent.cli.app import app
from detent.client import Client

from .api import PASS, Api, Told
from .conftest import Running, Serve

SEARCH = {"customer": "$.input.customer.id", "total": "$.output.total", "express": "$.input.express"}


def create(api: Api, **members: Any) -> Told:
    return api("POST", "/v1/machines", {"name": "orders", "definition": PASS, **members})


def order(api: Api, name: str, **input: Any) -> None:
    body = {"machine": "orders", "name": name, "input": input}
    assert api("POST", "/v1/executions", body, wait="30s")["status"] == "SUCCEEDED"


def names(told: Told) -> list[str]:
    assert told.status == 200, told.body
    return [one["name"] for one in told["executions"]]


def fill(api: Api) -> None:
    assert create(api, searchAttributes=SEARCH).status == 201
    order(api, "one", customer={"id": "Ada"}, total=5)
    order(api, "two", customer={"id": 7}, total=10.5, express=True)
    order(api, "three", customer={"id": "7"}, total=100)


@pytest.fixture
def api(server: Running) -> Api:
    found = Api(server.url)
    fill(found)
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("attr.customer=Ada", ["one"]),
        ("attr.customer=7", ["three", "two"]),
        ("attr.customer=%227%22", ["three"]),
        ("attr.express=true", ["two"]),
        ("attr.total>=10.5", ["three", "two"]),
        ("attr.total>10.5", ["three"]),
        ("attr.total%3E10.5=", ["three"]),
        ("attr.total<=10.5&attr.total>5", ["two"]),
        ("attr.total<10.5&machine=orders&status=SUCCEEDED", ["one"]),
        ("attr.customer=Ada&status=FAILED", []),
        ("attr.customer=ada", []),
    ],
)
def test_executions_are_found_by_their_content(api: Api, query: str, expected: list[str]) -> None:
    assert names(api("GET", f"/v1/executions?{query}")) == expected


def test_what_is_found_has_pages(api: Api) -> None:
    first = api("GET", "/v1/executions?attr.total>=0&limit=2")
    assert names(first) == ["three", "two"]
    assert names(api("GET", f"/v1/executions?attr.total>=0&limit=2&cursor={first['next']}")) == ["one"]


@pytest.mark.parametrize(
    ("query", "code", "hint"),
    [
        ("attr.colour=red", "search-attribute", '"searchAttributes": {"colour": "$.input.PATH"}'),
        ("attr.colour=red&machine=orders", "search-attribute", "orders does not declare"),
        ("attr.=1", "search-attribute", "write NAME=VALUE"),
        ("input.customer.id=Ada", "invalid-query", "attr.customer=VALUE"),
        ("&".join(f"attr.a{n}=1" for n in range(11)), "invalid-query", "attr"),
        ("attr=1", "invalid-query", "attr.NAME"),
    ],
)
def test_other_content_is_refused_with_what_to_do(api: Api, query: str, code: str, hint: str) -> None:
    told = api("GET", f"/v1/executions?{query}")
    assert (told.status, told["type"]) == (400, f"urn:detent:problem:{code}")
    assert hint in told["detail"]


def test_attributes_are_shown_changed_and_copied(server: Running) -> None:
    api = Api(server.url)
    assert create(api)["searchAttributes"] == {}
    changed = api("PUT", "/v1/machines/orders", {"searchAttributes": SEARCH})
    assert (changed.status, changed["searchAttributes"], changed["definition"]) == (200, SEARCH, PASS)
    other = {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}
    assert api("PUT", "/v1/machines/orders", {"definition": other})["searchAttributes"] == SEARCH
    assert api("POST", "/v1/machines/orders/clone", {"name": "copy"})["searchAttributes"] == SEARCH
    assert api("PUT", "/v1/machines/orders", {"searchAttributes": {}})["searchAttributes"] == {}
    assert api("GET", "/v1/machines/orders")["searchAttributes"] == {}
    assert api("PUT", "/v1/machines/orders", {}).status == 400


def test_a_declaration_that_cannot_be_meant_is_refused(server: Running) -> None:
    api = Api(server.url)
    told = create(api, searchAttributes={"customer": "$.customer"})
    assert (told.status, told["type"]) == (400, "urn:detent:problem:search-attribute")
    assert api("GET", "/v1/machines/orders").status == 404
    assert create(api, searchAttributes=SEARCH).status == 201
    assert [create(api).status, create(api, searchAttributes={"a": "$.input"}).status] == [200, 409]


def test_what_is_deleted_is_found_no_longer(api: Api) -> None:
    assert api("DELETE", "/v1/executions/orders:one").status == 204
    assert names(api("GET", "/v1/executions?attr.customer=Ada")) == []


def test_what_was_found_is_found_after_a_crash(serve: Serve) -> None:
    program = serve("--store", "orders.db")
    fill(Api(program.url))
    program.end(signal.SIGKILL)
    again = Api(serve("--store", "orders.db").url)
    assert names(again("GET", "/v1/executions?attr.customer=Ada")) == ["one"]
    order(again, "four", customer={"id": "Ada"})
    assert names(again("GET", "/v1/executions?attr.customer=Ada")) == ["four", "one"]


def test_the_client_finds_by_content(server: Running, api: Api) -> None:
    with Client(server.url) as client:
        found = client.executions(machine="orders", where=["total>5", "total<=100", "customer=7"])
        assert [one.name for one in found] == ["three", "two"]
        made = client.create_machine("more", PASS, search_attributes={"n": "$.input.n"})
        assert made.search_attributes == {"n": "$.input.n"}
        assert client.update_machine("more", search_attributes={}).search_attributes == {}
        client.start("more", {"n": ""}, wait=30)
        assert list(client.executions(where=["customer="])) == []


CONFIGURATION = """
[search.orders]
customer = "$.input.customer.id"
[search.nobody]
"""


def test_served_files_declare_theirs_in_the_configuration(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text(json.dumps(PASS))
    (tmp_path / "detent.toml").write_text(CONFIGURATION)
    program = serve("orders.json", "--store", "orders.db")
    assert "search.nobody names no machine that is served" in "".join(program.said)
    api = Api(program.url)
    order(api, "one", customer={"id": "Ada"})
    for place in (["--store", str(tmp_path / "orders.db")], ["--server", program.url]):
        asked = ["executions", "--where", "customer=Ada", "--output", "json", *place]
        told = CliRunner().invoke(app, asked)
        assert [one["name"] for one in json.loads(told.stdout)["executions"]] == ["one"]
        told = CliRunner().invoke(app, ["executions", "--where", "colour=red", *place])
        assert (told.exit_code, "declare it" in told.stderr) == (2, True)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("search = 7", "search must be a table"),
        ("[search.orders]\ncustomer = 7", "search.orders must be a table of names and paths"),
        ('[search.orders]\ncustomer = "$.customer"', "search.orders: '$.customer' cannot be the path"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, why: str
) -> None:
    (tmp_path / "orders.json").write_text(json.dumps(PASS))
    (tmp_path / "detent.toml").write_text(table)
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["serve", "orders.json", "--store", "memory:", "--port", "0"])
    assert told.exit_code == 2
    assert why in told.stderr
