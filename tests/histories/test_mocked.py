"""Executions that were recorded for a mock configuration, run with it: tasks answer what the file says.

What the service adds to an answer of its own (headers, request ids) is not in the file, and nothing is added to it.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from detent.runtime.mocks import MockFile

from .asking import recorded
from .performing import performed

MOCKED = [vector for vector in recorded("execution") if "mock_config" in vector]
ADDED = {
    "ExecutedVersion",
    "SdkHttpMetadata",
    "SdkResponseMetadata",
    "RedriveCount",
    "RedriveStatus",
    "RedriveStatusReason",
}


def mocked(vector: dict[str, Any], folder: Path) -> Any:
    path = folder / "MockConfigFile.json"
    path.write_text(json.dumps(vector["mock_config"]))
    return performed(vector, MockFile(str(path)))


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in MOCKED])
def test_it_ends_as_recorded_but_for_what_the_service_adds(vector: dict[str, Any], tmp_path: Path) -> None:
    _, execution = mocked(vector, tmp_path)
    expected = vector["expected"]
    assert execution.status == expected["status"]
    if isinstance(expected["output"], dict) and not vector.get("placeholders"):
        assert execution.output.value == expected["output"]
    elif isinstance(expected["output"], dict):
        assert set(execution.output.value) == expected["output"].keys() - ADDED


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in MOCKED if "history" in v["expected"]]
)
def test_its_history_has_the_recorded_events(vector: dict[str, Any], tmp_path: Path) -> None:
    performance, _ = mocked(vector, tmp_path)
    types = Counter(event["type"] for event in performance.history())
    if vector["expected"].get("unordered"):
        del types["ParallelStateSucceeded"]
    assert types == Counter(event["type"] for event in vector["expected"]["history"])
