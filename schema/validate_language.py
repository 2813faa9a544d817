"""The query language of each state: fields of the other one, JSONata delimiters (language, sections 1, 2 and 4).

Whether a JSONata expression is well formed is judged by ``validate_jsonata``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from detent.core.values import JSON

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, sentence, show
from .outline import JSONATA, JSONPATH, Outline, Part
from .schema_files import PARTS, known_fields

#: Fields of one language, each with what the other language has in its place.
_JSONPATH_ONLY: Mapping[str, str] = {
    "InputPath": "select from $states.input in Arguments or Output",
    "OutputPath": "use Output",
    "Parameters": "use Arguments, in a Map ItemSelector, in a Pass Output",
    "Result": "use Output",
    "ResultPath": "use Output",
    "ResultSelector": "use Output with $states.result",
    "ItemsPath": "use Items",
    "Variable": "use Condition",
    **{
        name + "Path": f"use {name} with an expression"
        for name in (
            "Cause",
            "Error",
            "HeartbeatSeconds",
            "MaxConcurrency",
            "MaxInputBytesPerBatch",
            "MaxItems",
            "MaxItemsPerBatch",
            "Seconds",
            "TimeoutSeconds",
            "Timestamp",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
        )
    },
}
_JSONATA_ONLY: Mapping[str, str] = {
    "Arguments": "use Parameters",
    "Output": "use ResultSelector, ResultPath and OutputPath",
    "Items": "use ItemsPath",
    "Condition": "use Variable with an operator such as StringEquals",
}


def belongs_to(name: str, language: str) -> bool:
    """Whether a field may stand in a state of the query language."""
    return name not in (_JSONPATH_ONLY if language == JSONATA else _JSONATA_ONLY)


#: Fields that take a JSONata expression in place of a value of another type.
_OR_EXPRESSION = frozenset(
    {
        "Credentials",
        "HeartbeatSeconds",
        "MaxConcurrency",
        "MaxInputBytesPerBatch",
        "MaxItems",
        "MaxItemsPerBatch",
        "Seconds",
        "TimeoutSeconds",
        "ToleratedFailureCount",
        "ToleratedFailurePercentage",
    }
)

#: Fields that hold parts or settings, where "{%" would be ordinary text.
NO_EXPRESSIONS = frozenset(
    {
        "Branches",
        "Catch",
        "Choices",
        "Comment",
        "Default",
        "End",
        "ErrorEquals",
        "ItemBatcher",
        "ItemProcessor",
        "ItemReader",
        "Iterator",
        "Label",
        "Next",
        "QueryLanguage",
        "Resource",
        "ResultWriter",
        "Retry",
        "Type",
    }
)

#: Kinds of parts with expressions in their fields, the state itself apart.
EXPRESSION_PARTS = ("catcher", "rule", "itemReader", "itemBatcher", "resultWriter")


def check_language(outline: Outline, findings: Findings) -> None:
    for state in outline.states:
        if state.value.get("QueryLanguage") == JSONPATH and outline.language == JSONATA:
            findings.error(
                "language-downgrade",
                state.at("QueryLanguage"),
                f"{sentence(state.label)} cannot be JSONPath in a machine whose QueryLanguage is JSONata",
                hint="leave QueryLanguage out of the machine and set it to JSONata where it is wanted",
            )
        for part in (state, *state.parts(*EXPRESSION_PARTS, "nestedRule")):
            if state.language == JSONPATH:
                _check_jsonpath(part, findings)
            elif state.language == JSONATA:
                _check_jsonata(part, findings)


def _fields(part: Part) -> Iterator[tuple[Pointer, str, JSON]]:
    """The fields that such a part may have; what else stands there is unknown in any language."""
    known = known_fields(part.kind) if part.kind in PARTS else ()
    for pointer, name, value in part.fields():
        if name in known or len(pointer) > len(part.pointer) + 1:
            yield pointer, name, value


def _check_jsonpath(part: Part, findings: Findings) -> None:
    for pointer, name, value in _fields(part):
        if name in _JSONATA_ONLY:
            _wrong_language(part, pointer, JSONPATH, _JSONATA_ONLY[name], findings)
        elif name in _OR_EXPRESSION and isinstance(value, str) and value.startswith("{%"):
            _wrong_language(part, pointer, JSONPATH, "set QueryLanguage to JSONata", findings)


def _check_jsonata(part: Part, findings: Findings) -> None:
    for pointer, name, value in _fields(part):
        instead = _JSONPATH_ONLY.get(name)
        if instead is None and part.kind in ("rule", "nestedRule") and _is_operator(name):
            instead = "use Condition"
        if instead is not None:
            _wrong_language(part, pointer, JSONATA, instead, findings)
        elif name not in NO_EXPRESSIONS:
            _check_delimiters(part, pointer, value, findings)


def _is_operator(name: str) -> bool:
    return name not in ("Comment", "Next", "Condition", "Assign", "Output")


def _wrong_language(part: Part, pointer: Pointer, language: str, instead: str, findings: Findings) -> None:
    owner = JSONPATH if language == JSONATA else JSONATA
    findings.error(
        "wrong-query-language",
        pointer,
        f"{show(str(pointer[-1]))} is {owner}, but {part.label} speaks {language}",
        hint=instead,
        on_key=True,
    )


def _check_delimiters(part: Part, pointer: Pointer, value: JSON, findings: Findings) -> None:
    waiting = [(pointer, value)]
    while waiting:
        place, item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(((*place, key), inner) for key, inner in item.items())
        elif isinstance(item, list):
            waiting.extend(((*place, index), inner) for index, inner in enumerate(item))
        elif isinstance(item, str) and not is_unknown(item):
            _check_text(part, place, item, findings)


def _check_text(part: Part, pointer: Pointer, text: str, findings: Findings) -> None:
    name = show(str(pointer[-1]))
    opened, closed = text.startswith("{%"), text.endswith("%}") and len(text) >= 4
    if opened and not closed:
        findings.error(
            "jsonata-delimiter",
            pointer,
            f"{name} in {part.label} begins with '{{%' but does not end with '%}}'",
            hint="an expression stands between '{%' and '%}', with nothing around them",
        )
    elif closed and not opened:
        findings.warning(
            "jsonata-delimiter",
            pointer,
            f"{name} in {part.label} ends with '%}}' but does not begin with '{{%', so it is plain text",
            hint="an expression stands between '{%' and '%}', with nothing around them",
        )
