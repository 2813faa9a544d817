"""Paths, reference paths, intrinsic functions and payload templates of JSONPath states (language, sections 3 and 10).

The parsers are those of the interpreter, so that what passes here compiles. Positions inside an
expression are said in the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from detent.core.values import JSON
from detent.query.cursor import ExpressionSyntaxError
from detent.query.intrinsics import arity_problems, parse_intrinsic
from detent.query.jsonpath import parse_path, parse_reference_path

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, sentence, shorten, show
from .outline import JSONPATH, Outline, Part

#: Fields with any path; of these, null has a meaning of its own in the first two.
_PATHS = ("InputPath", "OutputPath", "ItemsPath", "Variable")

#: Fields with a reference path, or one into the context object or a variable.
_REFERENCES = (
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "MaxInputBytesPerBatchPath",
    "MaxItemsPath",
    "MaxItemsPerBatchPath",
    "SecondsPath",
    "TimeoutSecondsPath",
    "TimestampPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
)

#: Fields with a path or an intrinsic function that answers a text.
_TEXTS = ("CausePath", "ErrorPath")
_TEXT_FUNCTIONS = frozenset(
    f"States.{name}"
    for name in ("ArrayGetItem", "Base64Decode", "Base64Encode", "Format", "Hash", "JsonToString", "UUID")
)

#: Fields that hold a payload template.
_TEMPLATES = ("Assign", "BatchInput", "Credentials", "ItemSelector", "Parameters", "ResultSelector")

_INTRINSIC = "States."


def check_expressions(outline: Outline, findings: Findings) -> None:
    for state in outline.states:
        if state.language in (JSONPATH, None) and state.type is not None:
            for part in (state, *state.inside):
                _check_part(part, findings)


def _check_part(part: Part, findings: Findings) -> None:
    for pointer, name, value in part.fields():
        if name in _TEMPLATES:
            _check_template(part, pointer, value, findings)
        elif isinstance(value, str) and not is_unknown(value):
            check = _CHECKS.get(name) or (_check_path if _is_operand(part, name) else None)
            if check is not None:
                check(part, pointer, value, findings)


def _is_operand(part: Part, name: str) -> bool:
    """``StringEqualsPath`` and the like."""
    return part.kind in ("rule", "nestedRule") and name.endswith("Path")


# One text


def _check_path(part: Part, pointer: Pointer, text: str, findings: Findings) -> None:
    try:
        parse_path(text)
    except ExpressionSyntaxError as error:
        _say("bad-path", "JSONPath", part, pointer, text, error, findings)


def _check_reference(part: Part, pointer: Pointer, text: str, findings: Findings) -> None:
    try:
        parse_reference_path(text)
    except ExpressionSyntaxError as error:
        _say("bad-path", "reference path", part, pointer, text, error, findings)


def _check_result_path(part: Part, pointer: Pointer, text: str, findings: Findings) -> None:
    """Where a result is put: only below the input, so neither the context object nor a variable."""
    try:
        path = parse_reference_path(text)
    except ExpressionSyntaxError as error:
        _say("bad-path", "reference path", part, pointer, text, error, findings)
        return
    if path.root != "$":
        findings.error(
            "bad-path",
            pointer,
            f"ResultPath {show(text)} of {part.label} does not lead into the state's input",
            hint="it begins with '$.'; Assign sets variables",
        )


def _check_text(part: Part, pointer: Pointer, text: str, findings: Findings) -> None:
    if not text.startswith(_INTRINSIC):
        _check_path(part, pointer, text, findings)
        return
    _check_intrinsic(part, pointer, text, findings)
    function = text.partition("(")[0].strip()
    if function not in _TEXT_FUNCTIONS:
        findings.error(
            "bad-intrinsic",
            pointer,
            f"{pointer[-1]} of {part.label} calls {shorten(function)}, which does not answer a text",
            hint="use a function that does, such as States.Format",
        )


def _check_intrinsic(part: Part, pointer: Pointer, text: str, findings: Findings) -> None:
    try:
        intrinsic = parse_intrinsic(text)
    except ExpressionSyntaxError as error:
        _say("bad-intrinsic", "intrinsic function", part, pointer, text, error, findings)
        return
    for problem, column in arity_problems(intrinsic):
        findings.warning(
            "wrong-arguments",
            pointer,
            f"{show(pointer[-1])} in {part.label} will fail: {problem}, at column {column} of {show(text)}",
        )


def _say(
    code: str,
    kind: str,
    part: Part,
    pointer: Pointer,
    text: str,
    error: ExpressionSyntaxError,
    findings: Findings,
) -> None:
    where = f"at column {error.column} of {show(text)}"
    findings.error(
        code,
        pointer,
        f"{show(pointer[-1])} in {part.label} is no {kind}: {shorten(error.message, 200)} {where}",
    )


_CHECKS: Mapping[str, Callable[[Part, Pointer, str, Findings], None]] = {
    **dict.fromkeys(_PATHS, _check_path),
    **dict.fromkeys(_REFERENCES, _check_reference),
    **dict.fromkeys(_TEXTS, _check_text),
    "ResultPath": _check_result_path,
}


# Payload templates


def _check_template(part: Part, pointer: Pointer, template: JSON, findings: Findings) -> None:
    """Objects and arrays are walked; a key ending in ``.$`` holds an expression."""
    waiting = [(pointer, template)]
    while waiting:
        place, item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(((*place, index), inner) for index, inner in enumerate(item))
        elif isinstance(item, dict):
            for key, value in item.items():
                if key.endswith(".$"):
                    _check_member(part, (*place, key), value, findings)
                    _check_twin(part, (*place, key), item, findings)
                else:
                    waiting.append(((*place, key), value))


def _check_member(part: Part, pointer: Pointer, value: JSON, findings: Findings) -> None:
    if is_unknown(value):
        return
    if isinstance(value, str) and value.lstrip().startswith("$"):
        _check_path(part, pointer, value, findings)
    elif isinstance(value, str) and value.lstrip().startswith(_INTRINSIC):
        _check_intrinsic(part, pointer, value, findings)
    else:
        findings.error(
            "bad-expression",
            pointer,
            f"{show(value)} in {show(pointer[-1])} of {part.label} is neither a JSONPath nor an intrinsic function",
            hint=f"a literal stands under the key {show(str(pointer[-1])[:-2])}",
        )


def _check_twin(part: Part, pointer: Pointer, item: Mapping[str, JSON], findings: Findings) -> None:
    plain, field = str(pointer[-1])[:-2], pointer[len(part.pointer)]
    if plain in item:
        findings.error(
            "conflicting-keys",
            pointer,
            f"{sentence(part.label)} has both {show(plain)} and {show(pointer[-1])} in one object of {field}",
            hint="keep only one of them",
            on_key=True,
        )
