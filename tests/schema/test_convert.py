"""From YAML to JSON and back: the same values of the same types in the same order."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from detent.schema.document import read_document
from detent.schema.format import FormatError
from detent.schema.format.convert import comments, convert

#: Text without quotes would be something else: a word or number of YAML 1.2 or 1.1, a mark, an indicator, a line end.
LOOKALIKES = [
    *"on yes No ~ null 1_000 017 0o17 0x1F 1e3 .5 12:30 2024-01-01 = << --- ... .inf .nan +1 ${Hole}".split(),
    *"# ? ' \" \\ *a &a !a %a @a `a a:".split(),
    *("", "a: b", "- a", "x #y", "{% $x %}", "$.a[?(@.b)]", " a", "a ", "\ta", "a\tb", "a, b", "[a]"),
    *("a\nb", "a\nb\n", "\n", "a\n\n\nb\n", "a\n\n", " a\nb", "a \nb", "a\n b", "a\r\nb"),
    *("\u2028", "\x7f", "\x85", "\ufeff", "\U0001f600"),
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(LOOKALIKES)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@example(value="0\n")
@given(VALUES)
def test_any_value_survives_both_ways_and_other_readers_see_the_same(value: object) -> None:
    document = read_document(json.dumps(value), format="json")
    written = convert(document, "yaml")
    assert (
        convert(read_document(written, format="yaml"), "json")
        == json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    )
    assert json.dumps(yaml.safe_load(written)) == json.dumps(value)


@pytest.mark.parametrize("text", LOOKALIKES)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    document = read_document(json.dumps({"x": text, text: 1}), format="json")
    assert read_document(convert(document, "yaml"), format="yaml").value == {"x": text, text: 1}


def test_what_it_looks_like() -> None:
    text = '{"StartAt": "A", "k": 1.0, "e": ["States.ALL"], "o": [{"a": []}], "s": "one\\ntwo\\n", "q": "{% $a %}"}'
    assert convert(read_document(text), "yaml") == (
        'StartAt: A\nk: 1.0\ne: [States.ALL]\no:\n  - a: []\ns: |\n  one\n  two\nq: "{% $a %}"\n'
    )


def test_a_placeholder_keeps_its_kind_in_yaml_and_is_text_in_json() -> None:
    document = read_document('{"a": ${A}, "b": "${B}"}')
    written = convert(document, "yaml")
    assert written == 'a: ${A}\nb: "${B}"\n'
    assert json.loads(convert(read_document(written, format="yaml"), "json")) == {"a": "${A}", "b": "${B}"}


def test_what_yaml_cannot_hold_is_refused() -> None:
    with pytest.raises(FormatError, match="YAML cannot hold"):
        convert(read_document('{"a": "\\ud800"}'), "yaml")


def test_comments_are_counted_wherever_they_stand() -> None:
    assert (
        comments(read_document("# one\na: 1  # two\nb: # three\n  # four\n  - '# no'\n  # five\n# six\n"))
        == 6
    )
    assert comments(read_document('{"a": "# no"}')) == 0
