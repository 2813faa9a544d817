"""Holes: what counts as one, where they are, what fills them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.schema.diagnostics import Position
from detent.schema.document import DocumentError, HoleKind, has_holes, is_hole, is_unknown, read_document


@pytest.mark.parametrize(
    "text",
    [
        "${Name}",
        "${AWS::Region}",
        "${Function.Arn}",
        "${bucket-name}",
        "${ Name }",
        "${jsonencode(VpcSecurityGroupIds)}",
        "${aws_lambda_function.this[0].arn}",
        '${var.enabled ? "a" : "b"}',
    ],
)
def test_a_whole_text_may_be_a_hole(text: str) -> None:
    assert is_hole(text)
    assert has_holes(text)
    assert is_unknown(text)


@pytest.mark.parametrize(
    "text",
    [
        "arn:${AWS::Partition}:states:::lambda:invoke",
        "${A}${B}",
        "{% $states.input.x & '${Suffix}' %}",
        "$.a[?(@.b == '${C}')]",
    ],
)
def test_a_text_may_have_holes(text: str) -> None:
    assert not is_hole(text)
    assert is_unknown(text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "$",
        "${}",
        "${!Literal}",
        "$${Name}",
        "a ${!Literal} b",
        "{% $states.input.items${category: $sum(price)} %}",
        '{% ${"a": 1} %}',
        "$states{a: b}",
        "{% $x %}",
        "{{a}} and more",
        "${open",
        5,
        None,
        True,
        [],
        {},
        {"a": "${A}"},
        {"Ref": 1, "b": 2},
    ],
)
def test_no_holes(value: object) -> None:
    assert not is_hole(value)
    assert not is_unknown(value)


@pytest.mark.parametrize(
    "value",
    [
        {"!Sub": "arn:${A}"},
        {"!GetAtt": "Function.Arn"},
        {"Fn::Join": [":", ["a"]]},
        {"Ref": "Name"},
        "{{DOC_EXAMPLE_ARN}}",
    ],
)
def test_functions_of_another_tool_are_unknown(value: object) -> None:
    assert is_unknown(value)
    assert not is_hole(value)


def test_an_unquoted_hole_is_a_value_of_unknown_content() -> None:
    document = read_document('{"Seconds": ${Delay}, "Groups": [${jsonencode(Ids)}, "${Text}"]}')
    assert document.value == {"Seconds": "${Delay}", "Groups": ["${jsonencode(Ids)}", "${Text}"]}
    assert [(hole.name, hole.bare) for hole in document.placeholders] == [
        ("Delay", True),
        ("jsonencode(Ids)", True),
        ("Text", False),
    ]


@pytest.mark.parametrize("text", ['{"a": ${}}', '{"a": ${!B}}', '{"a": ${B}0}', '{"a": ${B', "{${A}: 1}"])
def test_what_only_looks_like_an_unquoted_hole(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    assert caught.value.diagnostics[0].code == "json-syntax"


def test_every_hole_is_listed_with_its_place() -> None:
    document = read_document(
        "States:\n"
        "  ${Prefix}Start:\n"
        "    Resource: arn:${Partition}:x:${Region}:${Region}\n"
        "    Seconds: ${Delay}\n"
        "    Text: '${Quoted}'\n"
        "    Name: {Fn::Sub: x}\n"
    )
    state = ("States", "${Prefix}Start")
    assert [(h.name, h.pointer, h.position, h.kind) for h in document.placeholders] == [
        ("Prefix", state, Position(2, 3), HoleKind.KEY),
        ("Partition", (*state, "Resource"), Position(3, 19), HoleKind.TEXT),
        ("Region", (*state, "Resource"), Position(3, 34), HoleKind.TEXT),
        ("Region", (*state, "Resource"), Position(3, 44), HoleKind.TEXT),
        ("Delay", (*state, "Seconds"), Position(4, 14), HoleKind.BARE),
        ("Quoted", (*state, "Text"), Position(5, 12), HoleKind.TEXT),
        ("Fn::Sub", (*state, "Name"), Position(6, 11), HoleKind.FOREIGN),
    ]


def test_data_that_looks_like_a_function_is_not_listed() -> None:
    assert read_document('{"Ref": "A-1"}').placeholders == ()
    assert read_document('["{{name}}"]').placeholders == ()


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("5", 5),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("No", "No"),
        ("arn:aws:x", "arn:aws:x"),
        ('["sg-1", 2]', ["sg-1", 2]),
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ('"5"', "5"),
        ("[not json", "[not json"),
        ("", None),
    ],
)
@pytest.mark.parametrize("text", ['{"a": ${A}}', "a: ${A}\n"])
def test_an_unquoted_hole_takes_the_type_of_what_fills_it(text: str, given: str, value: object) -> None:
    filled = read_document(text).substitute({"A": given})
    assert repr(filled.value) == repr({"a": value})
    assert filled.position(("a",)) == read_document(text).position(("a",))


@pytest.mark.parametrize("text", ['{"a": "${A}"}', "a: '${A}'\n"])
def test_a_quoted_hole_stays_a_text(text: str) -> None:
    assert read_document(text).substitute({"A": "5"}).value == {"a": "5"}


def test_what_is_not_given_stays_open() -> None:
    document = read_document('{"a": "${A}/${B}", "c": ${C}, "s": {"!Sub": "${A}"}}')
    filled = document.substitute({"A": "${C}x", "Unused": "1"})
    assert filled.value == {"a": "${C}x/${B}", "c": "${C}", "s": {"!Sub": "${C}x"}}
    assert [hole.name for hole in filled.placeholders] == ["C", "B", "C", "!Sub", "C"]
    assert document.value["a"] == "${A}/${B}", "the document itself does not change"


def test_keys_are_filled_in_and_must_stay_apart() -> None:
    document = read_document('{"${A}": 1, "${B}": {"${A}": 2}}')
    assert document.substitute({"A": "x"}).value == {"x": 1, "${B}": {"x": 2}}
    with pytest.raises(DocumentError) as caught:
        document.substitute({"A": "x", "B": "x"})
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.position) == ("duplicate-key", Position(1, 13))


def test_numbers_that_do_not_exist_cannot_be_filled_in() -> None:
    for number in ("1e400", ".nan"):
        with pytest.raises(DocumentError) as caught:
            read_document("a: ${A}").substitute({"A": number})
        assert caught.value.diagnostics[0].position == Position(1, 4)


def test_what_is_filled_in_counts_towards_the_depth() -> None:
    deep = "[" * 200 + "]" * 200
    assert read_document("[${A}]").substitute({"A": deep[1:-1]}).value == json.loads(f"[{deep[1:-1]}]")
    assert read_document("[${A}]").substitute({"A": deep}).value == [deep]


def test_places_below_a_filled_value_are_those_of_the_hole() -> None:
    filled = read_document('{"a": ${A}}').substitute({"A": '{"b": ["${C}"]}'})
    assert filled.position(("a", "b", 0)) == Position(1, 7)
    assert [hole.position for hole in filled.placeholders] == [Position(1, 7)]


@given(st.text(), st.text())
def test_filling_in_leaves_other_text_alone(before: str, after: str) -> None:
    document = read_document('{"a": 1}')
    assert document.substitute({before: after}).value == {"a": 1}
