"""JSONPath in the language: roots, kinds of path, wording of misses, bounds."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.errors import RUNTIME, StateFailure
from detent.query.jsonpath import (
    OnMissing,
    PathSyntaxError,
    compile_path,
    invalid_condition,
    invalid_path,
    not_in_input,
    not_in_template,
    parse_path,
    parse_reference_path,
    variables_in_path,
)
from detent.query.jsonpath.predicates import equal
from detent.query.jsonpath.run import Run
from detent.query.jsonpath.stages import compile_select
from detent.query.jsonpath.walk import walk
from detent.query.user import QueryError, compile_query

from .evaluating import bindings, read, same

ORDER = {"id": "o-1", "items": [{"sku": "a", "qty": 2}, {"sku": "b", "qty": 0}], "none": None}


def test_the_document_the_context_and_variables_are_roots() -> None:
    bound: dict[str, Any] = {"variables": {"limit": {"max": 3}}, "context": {"State": {"Name": "Pack"}}}
    assert read("$.id", ORDER, **bound) == "o-1"
    assert read("$$.State.Name", ORDER, **bound) == "Pack"
    assert read("$$", ORDER, **bound) == bound["context"]
    assert read("$limit", ORDER, **bound) == {"max": 3}
    assert read("$limit.max", ORDER, **bound) == 3
    assert read("$limit[*]", ORDER, **bound) == [3]


def test_a_definite_path_answers_the_value_itself_and_not_a_copy() -> None:
    assert read("$.items", ORDER) is ORDER["items"]


@pytest.mark.parametrize("path", ["$[*]", "$.items[*]", "$.items[1:]", "$.item.items[1:5].itemValue"])
def test_a_path_that_can_match_many_answers_an_empty_list_when_its_beginning_is_missing(path: str) -> None:
    assert read(path, {}) == []


@pytest.mark.parametrize(
    "path", ["$.[0]", "$.a.[0]", "$.a[0]b", " $.a ", "$[ 'a' ]", "$.delivery-partner", "$.é"]
)
def test_what_the_service_tolerates_is_tolerated(path: str) -> None:
    assert parse_path(path).definite


def test_an_unquoted_word_at_the_right_of_an_operator_is_a_text() -> None:
    document = [{"Name": "tags", "v": 1}, {"Name": "x", "v": 2}]
    assert read("$[?(@.Name==tags)].v", document) == [1]


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("status", 1),
        ("", 1),
        ("$.a[", 5),
        ("$.a['b", 5),
        ("$.a b", 4),
        ("$.a[?(@.x ~ 1)]", 11),
        ("$.a[?(@.x == )]", 14),
        ("$.a[x]", 5),
        ("$.a.shout()", 5),
        ("$.a[99999999999]", 4),
        ("$.a[?(@.x =~ /(/)]", 14),
        ("$.a[?(@.x =~ /(?=x)/)]", 14),
        ("$.a[?($v.x == 1)]", 7),
    ],
)
def test_a_syntax_error_names_its_column(path: str, column: int) -> None:
    with pytest.raises(PathSyntaxError) as caught:
        parse_path(path)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("path", "column", "reason"),
    [
        ("$.a[*]", 4, "the wildcard '*'"),
        ("$..a", 2, "the descent '..'"),
        ("$.a[1:]", 4, "a slice"),
        ("$.a[0,1]", 4, "a list of indexes"),
        ("$['a','b']", 2, "a list of names"),
        ("$.a[?(@.b)]", 4, "a filter"),
        ("$.a.length()", 5, "the function length()"),
        ("$.a,b", 3, "',' outside ['...']"),
    ],
)
def test_a_reference_path_says_why_it_is_none(path: str, column: int, reason: str) -> None:
    with pytest.raises(PathSyntaxError, match="a reference path names one node") as caught:
        parse_reference_path(path)
    assert reason in caught.value.message
    assert caught.value.column == column


@pytest.mark.parametrize("path", ["$", "$$", "$.a['b,c'][0]", "$v.a", "$$.Map.Item.Index"])
def test_reference_paths(path: str) -> None:
    assert parse_reference_path(path).is_reference


@pytest.mark.parametrize(
    ("path", "on_missing", "cause"),
    [
        ("$.x", invalid_path, "Invalid path '$.x' : No results for path: $['x']"),
        ("$.x.y", invalid_path, "Invalid path '$.x.y' : Missing property in path $['x']"),
        ("$.id.y", invalid_path, "Invalid path '$.id.y' : Missing property in path $['id']"),
        (
            "$.items[7].sku",
            invalid_path,
            "Invalid path '$.items[7].sku' : No results for path: $['items'][7]['sku']",
        ),
        (
            "$[0]",
            invalid_path,
            "Invalid path '$[0]' : Filter: [0] can only be applied to arrays. Current context is: {a=1}",
        ),
        (
            "$.x",
            not_in_input("ErrorPath"),
            "The JSONPath '$.x' specified for the field 'ErrorPath' could not be found in the input '{\"a\":1}'",
        ),
        (
            "$$.x",
            not_in_template("value.$"),
            "The JSONPath '$$.x' specified for the field 'value.$' could not be found in the input '{\"a\":1}'",
        ),
        (
            "$.x",
            invalid_condition,
            "Invalid path '$.x': The choice state's condition path references an invalid value.",
        ),
    ],
)
def test_each_field_words_its_miss(path: str, on_missing: OnMissing, cause: str) -> None:
    document = ORDER if "id" in path or "items" in path else {"a": 1}
    with pytest.raises(StateFailure) as caught:
        compile_path(path, on_missing=on_missing)(document, bindings())
    assert (caught.value.error, caught.value.cause) == (RUNTIME, cause)


def test_in_a_template_an_index_past_the_end_is_null() -> None:
    def in_template(path: str) -> Any:
        return compile_path(path, on_missing=not_in_template("v.$"))(ORDER, bindings())

    assert in_template("$.items[5]") is None
    for path in ("$.items[5].sku", "$.nothing[5]", "$.id[5]"):
        with pytest.raises(StateFailure):
            in_template(path)


def test_a_text_is_no_array() -> None:
    with pytest.raises(StateFailure):
        read("$.id[0]", ORDER)


def test_variables_in_a_path() -> None:
    assert variables_in_path(parse_path("$limit.max")) == {"limit"}
    assert variables_in_path(parse_path("$.a.concat($x, $y.z)")) == {"x", "y"}
    assert variables_in_path(parse_path("$$.State.Name")) == set()


def test_a_slow_pattern_does_not_hang() -> None:
    assert read("$[?(@ =~ /^(a+)+$/)]", ["a" * 40 + "b"]) == []


def test_an_explosive_path_ends() -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    with pytest.raises(StateFailure, match="visits more than"):
        read("$..*..*..*", deep)


def test_a_document_of_any_depth_is_descended() -> None:
    deep: Any = {"x": 1}
    for _ in range(5_000):
        deep = {"d": deep}
    assert read("$..x", deep) == [1]


def test_a_miss_in_a_document_of_any_depth_is_a_failure() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for path in ("$.x", "$[0].x", "$[?(@ == [1])].x.length()", "$[0][?(@ == $[0])]"):
        for on_missing in (invalid_path, not_in_input("ErrorPath")):
            with contextlib.suppress(StateFailure):
                compile_path(path, on_missing=on_missing)(deep, bindings())


def test_a_long_path_is_no_matter_of_the_stack() -> None:
    document: Any = 7
    for _ in range(5_000):
        document = {"a": document}
    assert read("$" + ".a" * 5_000, document) == 7
    assert read("$" + ".*" * 5_000, document) == [7]


@pytest.mark.parametrize("depth", [100, 10_000 // 3])
def test_deep_nesting_is_refused(depth: int) -> None:
    for text in ("$[?(" * depth, "$[?(" + "(" * depth, "$[?(@ == " + "[" * depth, "$[?(" + "!(" * depth):
        with pytest.raises(PathSyntaxError):
            parse_path(text)


PATHISH = st.text(alphabet="$@.*[]()?'\",:0123-ab=<>!&|~/\\ éi{}", max_size=30).map(lambda text: "$" + text)


@given(PATHISH)
def test_parsing_raises_nothing_but_syntax_errors_and_evaluating_nothing_but_failures(text: str) -> None:
    try:
        path = parse_path(text)
    except PathSyntaxError:
        return
    for document in (ORDER, None, [1, [2]]):
        with contextlib.suppress(StateFailure):
            compile_path(path, on_missing=invalid_path)(document, bindings())


NAMES = st.sampled_from(["a", "b", "c"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text("ab", max_size=2) | st.floats(-2, 2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
REFERENCES = st.lists(NAMES.map(".{}".format) | st.integers(-2, 3).map("[{}]".format), max_size=4).map(
    lambda steps: "$" + "".join(steps)
)


@given(REFERENCES, DOCUMENTS)
def test_the_fast_lane_and_the_slow_walk_agree(text: str, document: Any) -> None:
    path = parse_path(text)

    def outcome(evaluate: Any) -> Any:
        try:
            return evaluate()
        except (StateFailure, Exception) as failure:
            return str(getattr(failure, "cause", failure)).removeprefix(f"Invalid path '{text}' : ")

    fast = outcome(lambda: read(text, document))
    assert fast == outcome(lambda: walk(path.steps, document))
    assert fast == outcome(lambda: compile_select(path)(document, Run(document)))


SHARED = st.lists(
    NAMES.map(".{}".format) | st.sampled_from(["[*]", "..a", "..b", "[0]", "[1:]", "[:2]"]),
    min_size=1,
    max_size=4,
).map(lambda steps: "$" + "".join(steps))


@given(SHARED, DOCUMENTS)
def test_jsonpath_ng_finds_the_same_where_the_dialects_agree(text: str, document: Any) -> None:
    try:
        ours = read(text, document)
    except StateFailure:
        return
    if not parse_path(text).definite:
        # The library looks through scalars and single values in ways of its own; matches of ours are a part.
        theirs = compile_query(text)(document)
        assert all(any(same(value, other) for other in theirs) for value in ours)
    else:
        assert compile_query(text)(document) == [ours]


def test_jsonpath_ng_can_be_the_engine() -> None:
    evaluate = compile_path("$.items[0:2:2].sku", on_missing=invalid_path, engine="jsonpath-ng")
    assert evaluate(ORDER, bindings()) == ["a"]
    with pytest.raises(PathSyntaxError):
        compile_path("$.items[?(@.sku =~ /a/)]", on_missing=invalid_path, engine="jsonpath-ng")


def test_a_typed_query_speaks_jsonpath_ng() -> None:
    assert compile_query("items[?(@.qty > 1)].sku")(ORDER) == ["a"]
    for bad in ("$.a[", "", "$..[?(@.x =~ '(a+)+')]", "$." + "a." * 2_000):
        with pytest.raises(QueryError):
            compile_query(bad)


@given(DOCUMENTS, DOCUMENTS)
def test_equality_of_filters_is_that_of_texts_between_numbers_and_texts(left: Any, right: Any) -> None:
    if type(left) is type(right):
        assert equal(left, right) == same(left, right) or isinstance(left, float)
    assert equal(1, "1")
    assert not equal("1", 1.0)
    assert not equal(True, 1)
