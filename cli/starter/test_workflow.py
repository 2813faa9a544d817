"""The workflow runs from its start to each of its ends, in memory: `pytest`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
DETENT = str(Path(sys.executable).with_name("detent"))


def run(payload: Any) -> dict[str, Any]:
    """Run the workflow; its status, and its output or its error."""
    command = [DETENT, "run", "workflow.asl.yaml", "--handlers", "handlers.py"]
    command += ["--store", "memory:", "--output", "json", "--input", json.dumps(payload)]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert result.stdout, result.stderr
    outcome: dict[str, Any] = json.loads(result.stdout)
    return outcome


def test_what_is_in_stock_is_reserved() -> None:
    outcome = run({"article": "teapot", "count": 2})
    assert outcome["status"] == "SUCCEEDED"
    assert outcome["output"]["reservation"] == "R-teapot-2"


@pytest.mark.parametrize(
    ("payload", "error"),
    [({"article": "samovar", "count": 2}, "NotEnough"), ({"article": "sofa", "count": 1}, "UnknownArticle")],
)
def test_what_cannot_be_had_fails_with_a_name(payload: Any, error: str) -> None:
    outcome = run(payload)
    assert (outcome["status"], outcome["error"]) == ("FAILED", error)


def test_the_definition_is_sound() -> None:
    result = subprocess.run(
        [DETENT, "lint", "workflow.asl.yaml"], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
