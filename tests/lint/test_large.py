"""Large definitions cost time in proportion: what is beyond every bound is not looked into, and nothing raises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detent.schema.document import read_document
from detent.schema.lint.check import lint
from detent.schema.lint.settings import ALL, Settings


def chain(length: int, **fields: Any) -> dict[str, Any]:
    states: dict[str, Any] = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}", **fields} for n in range(length)}
    return {"StartAt": "S0", "States": {**states, f"S{length}": {"Type": "Succeed"}}}


def rules(count: int) -> dict[str, Any]:
    tests = [{"Variable": "$.x", "NumericGreaterThan": -n, "Next": "End"} for n in range(count)]
    choice = {"Type": "Choice", "Choices": tests, "Default": "End"}
    return {"StartAt": "Which", "States": {"Which": choice, "End": {"Type": "Succeed"}}}


@pytest.mark.parametrize(
    "definition",
    [
        chain(2_500, Parameters={"a.$": "$.b"}),
        chain(2_500, Parameters={"all.$": "$", "again.$": "$"}),
        chain(1_500, ResultPath="$.a.b.c"),
        rules(2_500),
    ],
    ids=["reads", "doubles", "places", "rules"],
)
def test_a_large_definition_is_looked_at(definition: dict[str, Any]) -> None:
    lint(read_document(json.dumps(definition)), settings=Settings(select=(ALL,)))
