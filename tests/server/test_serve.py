"""``detent serve`` from outside: what it says, what it publishes, how it ends."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

from .conftest import Running, Serve

PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


def test_it_says_what_it_serves_and_what_sdks_need(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "greet.json").write_text(PASS)
    (tmp_path / "input.json").write_text("{}")
    program = serve(str(tmp_path), "--store", "memory:")
    said = "".join(program.said)
    assert f"serving greet from {tmp_path / 'greet.json'}" in said
    assert "input.json" not in said
    assert f"AWS_ENDPOINT_URL_SFN={program.url}\n" in said
    assert "AWS_DISABLE_HOST_PREFIX_INJECTION=true\n" in said


def test_it_ends_in_order_when_it_is_told_to(serve: Serve) -> None:
    program = serve("--store", "memory:")
    assert program.end() == 0
    assert "ending" in "".join(program.said)


def test_what_is_nowhere_is_a_problem(server: Running) -> None:
    status, kind, body = get(f"{server.url}/nowhere")
    assert (status, kind) == (404, "application/problem+json")
    assert body["title"] == "Not Found"


def get(url: str) -> tuple[int, str, dict[str, object]]:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.headers.get_content_type(), json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get_content_type(), json.load(error)
