"""What formatting does to JSON, read as examples."""

from __future__ import annotations

from detent.schema.format import format_text


def test_a_minified_machine_is_written_in_lines() -> None:
    text = '{"States":{"A":{"End":true,"Type":"Pass","Result":[1,2.50,"\\u00e9"]}},"StartAt":"A"}'
    assert format_text(text) == (
        '{\n  "StartAt": "A",\n  "States": {\n'
        '    "A": { "Type": "Pass", "Result": [1, 2.50, "\\u00e9"], "End": true }\n  }\n}\n'
    )


def test_what_stands_in_lines_stays_in_lines_and_a_blank_line_stays() -> None:
    text = '{\n"StartAt": "A",\n\n\n"States": {\n"A": {\n"Type": "Succeed",\n"Comment": ""}}}'
    assert format_text(text) == (
        '{\n  "StartAt": "A",\n\n  "States": {\n'
        '    "A": {\n      "Type": "Succeed",\n      "Comment": ""\n    }\n  }\n}\n'
    )


def test_a_placeholder_without_quotes_stays_one() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Seconds": ${Delay}, "Type": "Wait", "End": true}}}'
    assert '"Seconds": ${Delay},' in format_text(text)


def test_numbers_keep_their_spelling() -> None:
    text = '{"StartAt": "A", "x": [1.0, 1E5, -0.0, 123456789012345678901234567890]}'
    assert "[1.0, 1E5, -0.0, 123456789012345678901234567890]" in format_text(text)


def test_json_in_a_file_that_is_called_yaml_stays_json() -> None:
    assert format_text('{"StartAt":"A"}', source="a.yaml") == '{\n  "StartAt": "A"\n}\n'
