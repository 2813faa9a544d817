"""What a schema cannot say about single fields: durations compared, labels, credentials, the shape of choice rules."""

from __future__ import annotations

from detent.core.runs import NOT_IN_LABELS
from detent.core.values import JSON
from detent.query.timestamps import parse_timestamp

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, sentence, show
from .outline import JSONATA, JSONPATH, Outline, Part, State

#: Fields of a rule that are no operator.
_NO_OPERATORS = frozenset(
    {"And", "Assign", "Comment", "Condition", "Next", "Not", "Or", "Output", "Variable"}
)
_COMBINING = ("And", "Or", "Not")

_TIMESTAMP_OPERATORS = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")


def check_fields(outline: Outline, findings: Findings) -> None:
    for state in outline.states:
        if state.type == "Task":
            _check_heartbeat(state, findings)
            _check_credentials(state, findings)
        elif state.type == "Wait":
            _check_timestamp(state, "Timestamp", state.language, findings)
        elif state.type == "Map":
            _check_label(state, findings)
            _check_items(state, findings)
        for part in state.inside:
            if part.kind in ("rule", "nestedRule"):
                _check_rule(state, part, findings)
            elif part.kind == "itemReader":
                _check_reader(part, findings)


def _check_heartbeat(state: State, findings: Findings) -> None:
    heartbeat, timeout = (
        _whole(state.value.get("HeartbeatSeconds")),
        _whole(state.value.get("TimeoutSeconds")),
    )
    if heartbeat is not None and timeout is not None and heartbeat >= timeout:
        findings.error(
            "heartbeat-too-long",
            state.at("HeartbeatSeconds"),
            f"HeartbeatSeconds ({heartbeat}) of {state.label} is not below TimeoutSeconds ({timeout})",
            hint="a heartbeat has to be missed before the task times out",
        )


def _whole(value: JSON) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _check_credentials(state: State, findings: Findings) -> None:
    credentials = state.value.get("Credentials")
    if not isinstance(credentials, dict) or is_unknown(credentials):
        return
    if "RoleArn" in credentials or (state.language != JSONATA and "RoleArn.$" in credentials):
        return
    similar = next((key for key in credentials if key.casefold() == "rolearn"), None)
    findings.error(
        "missing-field",
        state.at("Credentials"),
        f"Credentials of {state.label} has no RoleArn",
        hint=f"'{similar}' is not RoleArn" if similar else None,
        on_key=True,
    )


def _check_label(state: State, findings: Findings) -> None:
    label = state.value.get("Label")
    bad = NOT_IN_LABELS.search(label) if isinstance(label, str) and not is_unknown(label) else None
    if bad:
        findings.error(
            "bad-label",
            state.at("Label"),
            f"Label of {state.label} contains {bad[0]!r}",
            hint="letters, digits, '-', '_' and '.' are safe",
        )


def _check_items(state: State, findings: Findings) -> None:
    """Only a distributed Map iterates over the members of an object."""
    items = state.value.get("Items")
    processor = state.value.get("ItemProcessor", state.value.get("Iterator"))
    if not isinstance(items, dict) or is_unknown(items) or not isinstance(processor, dict):
        return
    config = processor.get("ProcessorConfig", {})
    if isinstance(config, dict) and config.get("Mode", "INLINE") == "INLINE":
        findings.error(
            "wrong-value",
            state.at("Items"),
            f"'Items' must be a list or a JSONata expression between '{{%' and '%}}', not an object, in {state.label}",
            hint="a Map in DISTRIBUTED mode takes an object",
        )


def _check_reader(reader: Part, findings: Findings) -> None:
    config = reader.value.get("ReaderConfig")
    if isinstance(config, dict) and config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        findings.error(
            "missing-field",
            reader.at("ReaderConfig"),
            f"ReaderConfig of {reader.label} has no CSVHeaders",
            hint="CSVHeaderLocation is GIVEN, so the headers stand here",
            on_key=True,
        )


def _check_timestamp(part: Part, name: str, language: str | None, findings: Findings) -> None:
    text = part.value.get(name)
    if not isinstance(text, str) or is_unknown(text):
        return
    if language != JSONPATH and text.startswith("{%"):
        return
    if parse_timestamp(text) is None:
        findings.error(
            "bad-timestamp",
            part.at(name),
            f"{show(text)} in {name} of {part.label} is no RFC 3339 timestamp",
            hint="2024-08-18T17:33:00Z, for example: upper-case T, and Z or an offset",
        )


# Choice rules


def _check_rule(state: State, rule: Part, findings: Findings) -> None:
    if state.language == JSONPATH and "Condition" not in rule.value:
        _check_test(rule, findings)
        for operator in _TIMESTAMP_OPERATORS:
            _check_timestamp(rule, f"Timestamp{operator}", JSONPATH, findings)
    elif state.language == JSONATA and "Condition" not in rule.value and rule.kind == "rule":
        _say_missing(rule, "Condition", "a boolean, or a JSONata expression that yields one", findings)


def _check_test(rule: Part, findings: Findings) -> None:
    """One operator with a Variable, or one of And, Or and Not without (language, section 2.3)."""
    operators = [name for name in rule.value if name not in _NO_OPERATORS and not is_unknown(name)]
    combining = [name for name in _COMBINING if name in rule.value]
    if len(operators) + len(combining) > 1:
        both = " and ".join(f"'{name}'" for name in operators + combining)
        findings.error(
            "not-one-test",
            rule.pointer,
            f"{sentence(rule.label)} has {both}",
            hint="a rule makes one test; join several with And",
            on_key=True,
        )
    elif combining:
        if "Variable" in rule.value:
            _say_useless_variable(rule, combining[0], findings)
    elif "Variable" not in rule.value:
        what = "Variable" if operators else "test"
        _say_missing(rule, what, "a rule has Variable and one operator, or And, Or or Not", findings)
    elif not operators:
        findings.error(
            "not-one-test",
            rule.pointer,
            f"{sentence(rule.label)} has Variable but no operator",
            hint="add one, such as StringEquals or IsPresent",
            on_key=True,
        )


def _say_useless_variable(rule: Part, combining: str, findings: Findings) -> None:
    pointer: Pointer = rule.at("Variable")
    findings.error(
        "conflicting-fields",
        pointer,
        f"{sentence(rule.label)} has 'Variable' beside '{combining}'",
        hint=f"Variable stands in the rules inside {combining}",
        on_key=True,
    )


def _say_missing(rule: Part, what: str, hint: str, findings: Findings) -> None:
    findings.error(
        "missing-field", rule.pointer, f"{sentence(rule.label)} has no {what}", hint=hint, on_key=True
    )
