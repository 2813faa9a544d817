"""Findings as people and tools read them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.schema.diagnostics import Diagnostic, Position, Severity
from detent.schema.document import DocumentError, read_document
from detent.schema.report import FORMATS, render, summary

TEXT = "StartAt: Frist\nStates:\n  First:\n    Type: Pass\n    日本: x\n"
DOCUMENT = read_document(TEXT, source="flows/a b.yaml")

MISSING = Diagnostic(
    "missing-target",
    Severity.ERROR,
    'there is no state "Frist"',
    ("StartAt",),
    Position(1, 10),
    "flows/a b.yaml",
    'did you mean "First"?',
)
UNKNOWN = Diagnostic(
    "unknown-field",
    Severity.WARNING,
    "no such field: 100%",
    ("States", "First", "日本"),
    Position(5, 9),
    "flows/a b.yaml",
)


def test_text_quotes_the_line_and_points_at_the_place() -> None:
    assert render([UNKNOWN, MISSING], [DOCUMENT], "text") == (
        'flows/a b.yaml:1:10: error missing-target: there is no state "Frist"\n'
        " 1 | StartAt: Frist\n"
        "   |          ^\n"
        '   = did you mean "First"?\n'
        "\n"
        "flows/a b.yaml:5:9: warning unknown-field: no such field: 100%\n"
        " 5 |     日本: x\n"
        "   |           ^"
    )


def test_text_without_a_place_or_a_document() -> None:
    nowhere = Diagnostic("empty", Severity.ERROR, "there is nothing in it", hint="write something")
    assert render([nowhere], [], "text") == (
        "<definition>: error empty: there is nothing in it\n  = write something"
    )
    assert render([MISSING], [], "text").splitlines()[0].startswith("flows/a b.yaml:1:10: error")


def test_a_text_that_was_not_read_is_quoted_too() -> None:
    with pytest.raises(DocumentError) as caught:
        read_document('{\n\t"a": NaN\n}', source="a.json")
    assert render(caught.value.diagnostics, [caught.value], "text") == (
        "a.json:2:7: error not-a-number: NaN is not a JSON value\n"
        ' 2 |     "a": NaN\n'
        "   |          ^\n"
        "   = write null or a string"
    )


def test_long_lines_are_cut_around_the_place() -> None:
    text = "[" + "1, " * 1000 + "NaN" + ", 1" * 1000 + "]"
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    _, quoted, caret, _ = render(caught.value.diagnostics, [caught.value], "text").split("\n")
    assert len(quoted) < 120
    assert quoted[caret.index("^") :].startswith("NaN")


def test_nothing_a_terminal_would_obey_comes_out() -> None:
    text = "a: '\x85'\nb\u202e: \U000e0001\n"
    wild = Diagnostic("x", Severity.ERROR, "key \x1b[31m\n\ud800", (), Position(2, 1), "a\x07.yaml", "\x1b")
    document = read_document(text, source="a\x07.yaml")
    for format in FORMATS:
        out = render([wild], [document], format)
        assert out.replace("\n", "").isprintable()
        out.encode()


def test_json_holds_every_part() -> None:
    assert json.loads(render([UNKNOWN, MISSING], [DOCUMENT], "json")) == {
        "valid": False,
        "errors": 1,
        "warnings": 1,
        "notes": 0,
        "diagnostics": [
            {
                "code": "missing-target",
                "severity": "error",
                "message": 'there is no state "Frist"',
                "hint": 'did you mean "First"?',
                "file": "flows/a b.yaml",
                "pointer": "/StartAt",
                "line": 1,
                "column": 10,
                "related": [],
                "fix": None,
            },
            {
                "code": "unknown-field",
                "severity": "warning",
                "message": "no such field: 100%",
                "hint": None,
                "file": "flows/a b.yaml",
                "pointer": "/States/First/日本",
                "line": 5,
                "column": 9,
                "related": [],
                "fix": None,
            },
        ],
    }
    assert json.loads(render([], [DOCUMENT], "json"))["valid"] is True
    assert json.loads(render([UNKNOWN], [DOCUMENT], "json"))["valid"] is True


def test_sarif_names_rules_places_and_levels() -> None:
    log = json.loads(render([UNKNOWN, MISSING], [DOCUMENT], "sarif"))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["missing-target", "unknown-field"]
    assert run["results"][0] == {
        "ruleId": "missing-target",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": 'there is no state "Frist" (did you mean "First"?)'},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "flows/a%20b.yaml"},
                    "region": {"startLine": 1, "startColumn": 10},
                },
                "logicalLocations": [{"fullyQualifiedName": "/StartAt"}],
            }
        ],
    }
    assert (run["results"][1]["level"], run["results"][1]["ruleIndex"]) == ("warning", 1)


def test_sarif_of_an_absolute_path_and_of_no_place() -> None:
    log = json.loads(render([Diagnostic("empty", Severity.ERROR, "m", source="/x/a.json")], [], "sarif"))
    location = log["runs"][0]["results"][0]["locations"][0]
    assert location == {"physicalLocation": {"artifactLocation": {"uri": "file:///x/a.json"}}}


def test_github_annotations() -> None:
    odd = Diagnostic("x", Severity.ERROR, "one\ntwo", source="a,b:c.json")
    assert render([UNKNOWN, MISSING, odd], [DOCUMENT], "github").split("\n") == [
        "::error file=a%2Cb%3Ac.json,title=x::one%0Atwo",
        "::error file=flows/a b.yaml,line=1,col=10,title=missing-target::"
        'there is no state "Frist" (did you mean "First"?)',
        "::warning file=flows/a b.yaml,line=5,col=9,title=unknown-field::no such field: 100%25",
    ]


def test_no_findings() -> None:
    assert render([], [DOCUMENT], "text") == render([], [DOCUMENT], "github") == ""
    assert json.loads(render([], [], "sarif"))["runs"][0]["results"] == []


def test_summary() -> None:
    assert summary([]) == "no findings"
    assert summary([MISSING]) == "1 error"
    assert summary([UNKNOWN, MISSING, UNKNOWN]) == "1 error, 2 warnings"


@given(st.text(), st.integers(1, 5), st.integers(1, 400), st.text(), st.text())
def test_any_finding_can_be_rendered(text: str, line: int, column: int, message: str, key: str) -> None:
    finding = Diagnostic("x", Severity.ERROR, message, (key,), Position(line, column), key, message)
    with_text = DocumentError([finding], text)
    for format in FORMATS:
        out = render([finding], [with_text], format)
        assert out.encode()
