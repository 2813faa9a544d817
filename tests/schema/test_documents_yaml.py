"""YAML: the core schema of YAML 1.2, one document, keys as written, every mistake with its place."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detent.schema import yaml_reader
from detent.schema.diagnostics import Diagnostic, Position
from detent.schema.document import DEFINITION_LIMITS, DocumentError, read_document
from detent.schema.frontdoor import Findings


@pytest.fixture(params=[False, True], ids=["fast parser", "pure parser"])
def pure(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def read(text: str, pure: bool) -> object:
    return yaml_reader.read_nodes(text, Findings(text, None), limits=DEFINITION_LIMITS, pure=pure).value


def problems(text: str, pure: bool) -> list[Diagnostic]:
    with pytest.raises(DocumentError) as caught:
        read(text, pure)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1:30:00", "1:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("0b11", "0b11"),
        ("tRUE", "tRUE"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("+", "+"),
        (".", "."),
        ("true", True),
        ("FALSE", False),
        ("Null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-0", 0),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1.0", 1.0),
        ("-1.", -1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("+12e-1", 1.2),
        ('"12"', "12"),
        ("'true'", "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ('!!int "12"', 12),
        ("!!float 12", 12.0),
        ("!!null ''", None),
        ("${Delay}", "${Delay}"),
        ("$.a[0]", "$.a[0]"),
    ],
)
def test_scalars_mean_what_the_core_schema_says(scalar: str, value: object, pure: bool) -> None:
    assert repr(read(f"a: {scalar}\n", pure)) == repr({"a": value})


def test_keys_are_text_as_written(pure: bool) -> None:
    text = "No: 1\non: 2\n1.0: 3\nnull: 4\n0x1F: 5\n~: 6\n2024-01-01: 7\n"
    assert list(read(text, pure)) == ["No", "on", "1.0", "null", "0x1F", "~", "2024-01-01"]  # type: ignore[call-overload]  # a mapping


def test_anchors_and_aliases(pure: bool) -> None:
    assert read("a: &x [1, {b: &y c}]\nd: *x\ne: *y\n*y : f\n", pure) == {
        "a": [1, {"b": "c"}],
        "d": [1, {"b": "c"}],
        "e": "c",
        "c": "f",
    }


def test_own_keys_win_over_merged_ones_and_earlier_sources_over_later(pure: bool) -> None:
    text = "a: &a {x: 1, y: 1, z: 1}\nb: &b {y: 2, w: 2}\nc:\n  x: 3\n  <<: [*b, *a]\nd: {<<: *a, z: 4}\n"
    value = read(text, pure)
    assert isinstance(value, dict)
    assert value["c"] == {"x": 3, "y": 2, "w": 2, "z": 1}
    assert value["d"] == {"x": 1, "y": 1, "z": 4}


def test_a_quoted_merge_key_is_a_key(pure: bool) -> None:
    assert read('"<<": 1', pure) == {"<<": 1}


def test_what_is_merged_stands_where_it_was_written() -> None:
    document = read_document("a: &a\n  x: 1\nb:\n  <<: *a\n  y: 2\n")
    assert document.position(("b", "x")) == Position(2, 6)
    assert document.position(("b", "x"), key=True) == Position(2, 3)
    assert document.position(("b", "y"), key=True) == Position(5, 3)


def test_keys_and_values_know_their_place() -> None:
    document = read_document(
        "# é\r\nStates:\r\n  日本: {Type: Pass}\r\n  B:\r\n  - |\r\n    text\r\n  - 'x'\r\n"
    )
    assert document.format == "yaml"
    assert document.position(("States",), key=True) == Position(2, 1)
    assert document.position(("States", "日本", "Type")) == Position(3, 14)
    assert document.position(("States", "B", 0)) == Position(5, 5)
    assert document.position(("States", "B", 1)) == Position(7, 5)


@pytest.mark.parametrize(
    ("text", "code", "place", "says"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate-key", (3, 1), "first on line 1"),
        ("b: &b {}\na:\n  <<: *b\n  <<: *b", "duplicate-key", (4, 3), "first on line 3"),
        ("a: .nan", "not-a-number", (1, 4), ".nan"),
        ("a: -.inf", "not-a-number", (1, 4), "-.inf"),
        ("a: 1e400", "number-range", (1, 4), "double"),
        (f"a: {'1' * 4301}", "number-range", (1, 4), "digits"),
        (f"a: 0x{'f' * 4000}", "number-range", (1, 4), "digits"),
        ("a: !Sub b", "unknown-tag", (1, 4), "!Sub"),
        ("a: !GetAtt [b, c]", "unknown-tag", (1, 4), "!GetAtt"),
        ("a: !!python/object:os.system {}", "unknown-tag", (1, 4), "!!python"),
        ("a: !!timestamp 2024-01-01", "unknown-tag", (1, 4), "!!timestamp"),
        ("a: !!int b", "bad-tag", (1, 4), "'b' is no !!int"),
        ("a: 1\n---\nb: 2", "multiple-documents", (2, 1), "second document"),
        ("? [a]\n: b", "complex-key", (1, 3), "plain text"),
        ("{{a: 1}: b}", "complex-key", (1, 2), "plain text"),
        ("a: *b", "unknown-alias", (1, 4), "no anchor &b"),
        ("a: &a {b: *a}", "recursive-alias", (1, 11), "inside what it repeats"),
        ("<<: 1", "bad-merge", (1, 1), "takes a mapping"),
        ("<<: [{}, 1]", "bad-merge", (1, 1), "takes a mapping"),
        ("a:\n\tb: 1", "yaml-syntax", (2, 1), "tab"),
        ("a: 1\n  b: 2", "yaml-syntax", (2, 4), "colon"),
        ("a:\n  - b\n c: d", "yaml-syntax", (3, 2), "does not belong"),
        ("- a\nb: c", "yaml-syntax", (2, 1), "list before it"),
        ("a: b: c", "yaml-syntax", (1, 5), "colon"),
        ("a: - b", "yaml-syntax", (1, 4), "list cannot begin"),
        ("a: {% $x %}", "yaml-syntax", (1, 5), "JSONata expression stands without quotes"),
        ("a: @b", "yaml-syntax", (1, 4), "cannot begin with '@'"),
        ("a: `b`", "yaml-syntax", (1, 4), "cannot begin with '`'"),
        ("a: 'it's'", "yaml-syntax", (1, 8), "does not belong"),
        ('a: "b', "yaml-syntax", (1, 6), "inside quotes"),
        ("a: [b", "yaml-syntax", (1, 6), "brackets"),
        ("a: {b: c", "yaml-syntax", (1, 9), "braces"),
        ("a: ]", "yaml-syntax", (1, 4), "value is expected"),
        ("a: |x\n b", "yaml-syntax", (1, 5), "block of text"),
        ("a: !x!y z", "yaml-syntax", (1, 4), "tag"),
        ("a: &", "yaml-syntax", (1, 5), "anchor"),
        ("{a: 1}}", "yaml-syntax", (1, 7), "end of the document"),
        ("%YAML 3.0\n---\na", "yaml-syntax", (1, 1), "directive"),
        ("a: \x07", "encoding", (1, 4), "U+0007"),
        ("a: \ud800", "encoding", (1, 4), "U+D800"),
    ],
)
def test_each_mistake_has_its_place_and_sentence(
    text: str, code: str, place: tuple[int, int], says: str, pure: bool
) -> None:
    (problem,) = problems(text, pure)
    assert (problem.code, problem.position) == (code, Position(*place))
    assert says in problem.message


def test_all_mistakes_that_can_be_read_past_come_at_once(pure: bool) -> None:
    found = problems("a: .nan\nb:\n  - !Sub x\n  - *gone\nc: 1e999\na: 1\n", pure)
    assert [(problem.code, problem.json_pointer) for problem in found] == [
        ("not-a-number", "/a"),
        ("unknown-tag", "/b/0"),
        ("unknown-alias", "/b/1"),
        ("number-range", "/c"),
        ("duplicate-key", "/a"),
    ]


def test_json_in_a_yaml_file_is_read_as_json() -> None:
    text = '{\n\t"a": "\\/", "b": ${Hole}\n}'
    document = read_document(text, source="machine.yaml")
    assert (document.value, document.format) == ({"a": "/", "b": "${Hole}"}, "yaml")
    assert read_document("{a: 1, }", source="machine.yml").value == {"a": 1}


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"))
values = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=15,
)


@given(st.dictionaries(texts, values), st.sampled_from([True, False, None]), st.booleans())
def test_what_was_dumped_as_yaml_reads_back(value: object, flow: bool | None, pure: bool) -> None:
    # Quoted, since the library that dumps leaves unquoted what YAML 1.1 alone takes for text.
    text = yaml.dump(value, default_flow_style=flow, default_style='"', allow_unicode=True, sort_keys=False)
    assert repr(read(text, pure)) == repr(value)


@given(values)
def test_json_is_yaml(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert repr(read(text, pure=True)) == repr(json.loads(text))


@given(st.text(alphabet="ab:-?[]{}&*!|>'\"%@#\n\t ,.01~<", max_size=40))
def test_both_parsers_read_the_same_and_raise_nothing_else(text: str) -> None:
    def outcome(pure: bool) -> object:
        try:
            return repr(read(text, pure))
        except DocumentError:
            return "refused"

    fast, slow = outcome(pure=False), outcome(pure=True)
    assert "refused" in (fast, slow) or fast == slow
