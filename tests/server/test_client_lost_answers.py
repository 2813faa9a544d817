"""The client asks again when an answer is lost, and what it asked for happens once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from detent.client import Client, ClientError

from .api import FAIL, HOLD, PASS
from .conftest import StartServer
from .losing import Losing, losing

ASK_TWICE = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Task", "Resource": "signal:answer", "Next": "Second"},
        "Second": {"Type": "Task", "Resource": "signal:answer", "End": True},
    },
}


@pytest.fixture
def proxy(start_server: StartServer) -> Iterator[Losing]:
    with losing(start_server().url) as made:
        yield made


@pytest.fixture
def client(proxy: Losing) -> Iterator[Client]:
    with Client(proxy.url) as made:
        for name, definition in {"pass": PASS, "hold": HOLD, "fail": FAIL, "ask": ASK_TWICE}.items():
            made.create_machine(name, definition)
        yield made


def test_a_start_is_one_execution(client: Client, proxy: Losing) -> None:
    for name in (None, "named"):
        proxy.losses = 2
        started = client.start("pass", {"n": 1}, name=name)
        assert [one.id for one in client.executions() if one.name == started.name] == [started.id]
    assert (proxy.losses, len(list(client.executions()))) == (0, 2)


def test_a_signal_counts_once(client: Client, proxy: Losing) -> None:
    id = client.start("ask").id
    proxy.losses = 2
    client.signal(id, "answer", "first")
    client.signal(id, "answer", "second")
    assert client.wait(id).output == "second"


def test_a_pause_is_one_and_so_is_its_end(client: Client, proxy: Losing) -> None:
    id = client.start("ask").id
    proxy.losses = 1
    client.pause(id)
    while not client.execution(id).paused:
        client.wait(id, 0.01)
    proxy.losses = 1
    client.resume(id, "first")
    client.signal(id, "answer", "second")
    assert client.wait(id).output == "second"


def test_a_redrive_is_one(client: Client, proxy: Losing) -> None:
    id = client.start("fail", wait=60).id
    proxy.losses = 1
    client.redrive(id)
    assert client.wait(id).status == "FAILED"
    assert [event["type"] for event in client.history(id)].count("ExecutionRedriven") == 1


def test_a_version_is_published_once(client: Client, proxy: Losing) -> None:
    def change() -> None:
        # Somebody else gives the machine another definition before the client asks again.
        proxy.losses, proxy.lost = 0, lambda: None
        with Client(proxy.url) as other:
            other.update_machine("pass", FAIL)

    proxy.losses, proxy.lost = 1, change
    assert client.publish_version("pass").version == 1
    assert [one.version for one in client.versions("pass")] == [1]


def test_a_definition_is_replaced_by_etag_once(client: Client, proxy: Losing) -> None:
    etag = client.machine("pass").etag
    proxy.losses = 1
    assert client.update_machine("pass", FAIL, etag=etag).definition == FAIL
    with pytest.raises(ClientError) as refused:
        client.update_machine("pass", HOLD, etag=etag)
    assert refused.value.status == 412


def test_what_was_deleted_is_gone(client: Client, proxy: Losing) -> None:
    id = client.start("pass", wait=60).id
    proxy.losses = 1
    client.delete(id)
    assert list(client.executions()) == []
    proxy.losses = 1
    client.delete_machine("hold")
    assert [machine.name for machine in client.machines()] == ["pass", "fail", "ask"]
    assert proxy.losses == 0
