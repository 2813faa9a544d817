"""SIGKILL between the commit and the answer: a client that asks again has done it once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from server.losing import losing

from detent.client import Client

from .world import world

ASK: Any = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Task", "Resource": "signal:answer", "Next": "Second"},
        "Second": {"Type": "Task", "Resource": "signal:answer", "End": True},
    },
}


def test_killed_before_its_answer_arrives_a_server_has_done_it_once(tmp_path: Path) -> None:
    with world(tmp_path) as under:
        under.start()

        def lost() -> None:
            under.kill()
            under.start()

        with losing(f"http://127.0.0.1:{under.port}", lost) as proxy, Client(proxy.url) as client:
            proxy.losses = 1
            client.create_machine("ask", ASK)
            proxy.losses = 1
            started = client.start("ask", name="one")
            proxy.losses = 1
            another = client.start("ask")
            assert {one.id for one in client.executions()} == {started.id, another.id}
            proxy.losses = 1
            client.signal(started.id, "answer", "first")
            proxy.losses = 1
            client.signal(started.id, "answer", "second")
            ended = client.wait(started.id, 100)
            assert (ended.status, ended.output) == ("SUCCEEDED", "second")
            assert client.execution(another.id).status == "RUNNING"
            assert proxy.losses == 0
