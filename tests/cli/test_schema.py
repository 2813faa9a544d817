"""``detent schema``: one JSON Schema on stdout, or in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from .conftest import Detent

DEFINITIONS = sorted((Path(__file__).resolve().parent.parent.parent / "definitions").glob("*/workflow.yaml"))


def test_it_prints_a_schema(detent: Detent) -> None:
    result = detent("schema")
    assert result.exit_code == 0
    Draft202012Validator.check_schema(json.loads(result.stdout))


def test_it_writes_a_file(detent: Detent, folder: Path) -> None:
    result = detent("schema", "-o", str(folder / "asl.schema.json"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert (folder / "asl.schema.json").read_text() == detent("schema").stdout


def test_a_folder_that_does_not_exist_is_said(detent: Detent, folder: Path) -> None:
    result = detent("schema", "-o", str(folder / "nowhere" / "asl.schema.json"))
    assert result.exit_code != 0


@pytest.mark.parametrize("file", DEFINITIONS, ids=lambda path: path.parent.name)
def test_the_workflows_of_the_gallery_fit_it(detent: Detent, file: Path) -> None:
    schema = Draft202012Validator(json.loads(detent("schema").stdout))
    assert [error.message for error in schema.iter_errors(yaml.safe_load(file.read_text()))] == []
