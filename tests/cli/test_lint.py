"""``detent lint`` and ``detent explain``: what they print, what they change, how they end."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .conftest import Detent

DISCARDS = """\
StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName: f, Payload.$: $.order}
    Next: Ship
  Ship: {Type: Pass, Parameters: {order.$: $.order}, End: true}
"""
CHOOSES = """\
StartAt: Which
States:
  Which:
    Type: Choice
    Choices:
      - {Variable: $.kind, StringEquals: A, Next: Done}
  Done: {Type: Succeed}
"""
SPELLED = """\
StartAt: Each
States:
  Each:
    Type: Map
    Iterator:   # what happens to an order
      StartAt: One
      States: {One: {Type: Succeed}}
    OutputPath: $
    End: true
"""


def test_a_sound_file_says_so_on_stderr_only(detent: Detent) -> None:
    result = detent("lint", "greet.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 file: valid\n")


def test_data_that_was_thrown_away_is_an_error_with_both_places(detent: Detent, folder: Path) -> None:
    (folder / "order.yaml").write_text(DISCARDS)
    result = detent("lint", "order.yaml")
    assert result.exit_code == 1
    assert "order.yaml:8:44: error discarded-path: 'order.$' in state 'Ship' (Pass)" in result.stdout
    assert "> order.yaml:3:3: state 'Charge' (Task) replaces the payload here" in result.stdout
    assert detent("validate", "order.yaml").exit_code == 0


def test_what_validate_finds_is_found_too(detent: Detent, folder: Path) -> None:
    (folder / "bad.yaml").write_text(DISCARDS.replace("Next: Ship", "Next: Shp"))
    result = detent("lint", "bad.yaml")
    assert "missing-target" in result.stdout


def test_warnings_fail_when_it_is_strict(detent: Detent, folder: Path) -> None:
    (folder / "which.yaml").write_text(CHOOSES)
    result = detent("lint", "which.yaml")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (0, "1 file: valid, 1 warning")
    assert detent("lint", "which.yaml", "--strict").exit_code == 1


def test_rules_are_selected_and_ignored_by_code(detent: Detent, folder: Path) -> None:
    (folder / "which.yaml").write_text(CHOOSES)
    assert detent("lint", "which.yaml", "--ignore", "choice-without-default,secret").stdout == ""
    assert detent("lint", "which.yaml", "--select", "secret").stdout == ""
    assert "choice-without-default" in detent("lint", "which.yaml", "--select", "ALL").stdout


def test_a_code_that_does_not_exist_is_wrong_usage(detent: Detent) -> None:
    result = detent("lint", "greet.yaml", "--ignore", "choice-without-defualt")
    assert result.exit_code == 2
    assert "did you mean 'choice-without-default'?" in result.stderr


def test_fix_changes_the_words_and_nothing_else(detent: Detent, folder: Path) -> None:
    (folder / "old.yaml").write_text(SPELLED)
    result = detent("lint", "old.yaml", "--fix", "--select", "deprecated-field,default-value")
    assert result.stderr == "2 findings fixed\n1 file: valid\n"
    fixed = SPELLED.replace("Iterator:  ", "ItemProcessor:  ").replace("    OutputPath: $\n", "")
    assert (folder / "old.yaml").read_text() == fixed


def test_fix_keeps_a_byte_order_mark_and_line_ends(detent: Detent, folder: Path) -> None:
    (folder / "old.yaml").write_bytes(b"\xef\xbb\xbf" + SPELLED.replace("\n", "\r\n").encode())
    detent("lint", "old.yaml", "--fix", "--select", "deprecated-field")
    fixed = SPELLED.replace("Iterator:", "ItemProcessor:").replace("\n", "\r\n")
    assert (folder / "old.yaml").read_bytes() == b"\xef\xbb\xbf" + fixed.encode()


def test_nothing_is_written_where_nothing_is_mended(detent: Detent, folder: Path) -> None:
    (folder / "broken.yaml").write_text("StartAt: [\n")
    assert detent("lint", "broken.yaml", "--fix").exit_code == 1
    assert (folder / "broken.yaml").read_text() == "StartAt: [\n"


def test_the_nearest_configuration_counts(detent: Detent, folder: Path) -> None:
    (folder / "which.yaml").write_text(CHOOSES)
    (folder / "detent.toml").write_text(
        '[lint]\nstrict = true\n[lint.severity]\n"choice-without-default" = "info"\n'
    )
    result = detent("lint", "which.yaml")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (0, "1 file: valid, 1 note")
    (folder / "detent.toml").write_text('[lint.files."which.*"]\nignore = ["choice-without-default"]\n')
    assert detent("lint", "which.yaml").stdout == ""


def test_pyproject_has_a_table_for_it(detent: Detent, folder: Path) -> None:
    (folder / "which.yaml").write_text(CHOOSES)
    (folder / "pyproject.toml").write_text('[tool.detent.lint]\nignore = ["choice-without-default"]\n')
    assert detent("lint", "which.yaml").stdout == ""


def test_the_input_may_be_described(detent: Detent, folder: Path) -> None:
    (folder / "read.yaml").write_text(
        "StartAt: A\nStates:\n  A: {Type: Task, Resource: task:a, InputPath: $.oder, Next: B}\n"
        "  B: {Type: Pass, Parameters: {x.$: $.parcl}, End: true}\n"
    )
    assert detent("lint", "read.yaml").exit_code == 0
    schemas = folder / "schemas"
    schemas.mkdir()
    (schemas / "input.json").write_text('{"type": "object", "properties": {"order": {"type": "object"}}}')
    (schemas / "a.json").write_text('{"type": "object", "properties": {"parcel": {"type": "string"}}}')
    (folder / "detent.toml").write_text(
        '[lint]\ninput = "schemas/input.json"\n[lint.results]\n"task:a" = "schemas/a.json"\n'
    )
    result = detent("lint", "read.yaml")
    assert "did you mean 'order'?" in result.stdout
    assert "did you mean 'parcel'?" in result.stdout


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[lint]\nselct = []\n", "there is no setting lint.selct"),
        ("[lint]\nstrict = 1\n", "lint.strict must be true or false"),
        ('[lint]\ntarget = "azure"\n', "lint.target must be aws or detent"),
        ('[lint]\nignore = ["nothing"]\n', "there is no code 'nothing'"),
        ('[lint.severity]\nsecret = "fatal"\n', "lint.severity.secret must be error, warning or info"),
        ('[lint]\ninput = "nowhere.json"\n', "names nowhere.json, which cannot be read"),
        ("[lint\n", "is no TOML"),
    ],
)
def test_a_configuration_is_checked_word_by_word(
    detent: Detent, folder: Path, text: str, complaint: str
) -> None:
    (folder / "detent.toml").write_text(text)
    result = detent("lint", "greet.yaml")
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_comment_silences_and_says_so_when_it_is_useless(detent: Detent, folder: Path) -> None:
    (folder / "which.yaml").write_text(
        CHOOSES.replace("Which:\n", "Which: # detent: ignore[choice-without-default]\n")
    )
    assert detent("lint", "which.yaml", "--strict").exit_code == 0
    (folder / "greet.yaml").write_text(
        "# detent: ignore-file[secret]\n" + (folder / "greet.yaml").read_text()
    )
    assert "greet.yaml:1:1: warning unused-suppression" in detent("lint", "greet.yaml").stdout


def test_validate_is_silenced_in_the_same_way(detent: Detent, folder: Path) -> None:
    (folder / "odd.yaml").write_text("StartAt: A\nStates:\n  A: {Type: Task, Resource: a, End: true}\n")
    assert "unknown-resource" in detent("validate", "odd.yaml").stdout
    assert detent("validate", "odd.yaml", "--strict").exit_code == 1
    assert detent("validate", "odd.yaml", "--ignore", "unknown-resource").stdout == ""
    (folder / "odd.yaml").write_text(
        "StartAt: A\nStates:\n  A: {Type: Task, Resource: a, End: true} # detent: ignore[unknown-resource]\n"
    )
    assert detent("validate", "odd.yaml").stdout == ""


def test_formats_carry_related_places_and_rules(detent: Detent, folder: Path) -> None:
    (folder / "order.yaml").write_text(DISCARDS)
    found = json.loads(detent("lint", "order.yaml", "--format", "json").stdout)["diagnostics"]
    assert found[0]["related"][0]["line"] == 3
    run = json.loads(detent("lint", "order.yaml", "--format", "sarif").stdout)["runs"][0]
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"] == {"level": "error", "enabled": True}
    assert run["results"][0]["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 3
    suite = ElementTree.fromstring(detent("lint", "order.yaml", "greet.yaml", "--format", "junit").stdout)
    assert [(each.get("name"), each.get("failures")) for each in suite] == [
        ("order.yaml", "1"),
        ("greet.yaml", "0"),
    ]


def test_explain_prints_the_page_of_a_code(detent: Detent) -> None:
    result = detent("explain", "discarded-path")
    assert result.stdout.startswith("discarded-path: A path reads something that the result")
    assert "ResultPath: $.charge" in result.stdout
    assert detent("explain", "missing-target").stdout.startswith("missing-target: ")
    assert detent("explain", "json-syntax").stdout.startswith("json-syntax: ")


def test_explain_lists_all_codes(detent: Detent) -> None:
    listed = detent("explain").stdout.splitlines()
    assert len(listed) > 90
    assert any(line.startswith("secret ") for line in listed)


def test_explain_knows_what_was_meant(detent: Detent) -> None:
    result = detent("explain", "discarded-pth")
    assert result.exit_code == 2
    assert "did you mean 'discarded-path'?" in result.stderr


TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Each
        States:
          Each: # of them
            Type: Map
            Iterator:  {StartAt: A, States: {A: {Type: Pass, End: true}}}
            Nxt: Done
          Done: {Type: Succeed}
  Payments:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: |
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "OutputPath": "$", "End": true}}}
"""


def test_fix_reaches_the_state_machines_of_a_template(detent: Detent, folder: Path) -> None:
    (folder / "template.yaml").write_text(TEMPLATE)
    select = "deprecated-field,default-value,unknown-field,missing-transition"
    detent("lint", "template.yaml", "--fix", "--select", select)
    safe = TEMPLATE.replace("Iterator:", "ItemProcessor:").replace('"OutputPath": "$", ', "")
    assert (folder / "template.yaml").read_text() == safe
    result = detent("lint", "template.yaml", "--fix", "--unsafe-fixes", "--select", select)
    assert (folder / "template.yaml").read_text() == safe.replace("Nxt:", "Next:")
    assert result.exit_code == 0


def test_the_words_that_were_meant_are_written_where_that_is_asked_for(detent: Detent, folder: Path) -> None:
    wrong = "StartAt: Chrage\nStates:\n  Charge: {Type: Task, Resorce: 'arn:aws:states:::lamda:invoke', End: true}\n"
    (folder / "words.yaml").write_text(wrong)
    detent("lint", "words.yaml", "--fix")
    assert (folder / "words.yaml").read_text() == wrong
    assert detent("lint", "words.yaml", "--fix", "--unsafe-fixes").exit_code == 0
    right = wrong.replace("Chrage", "Charge").replace("Resorce", "Resource")
    assert (folder / "words.yaml").read_text() == right.replace("lamda", "lambda")
