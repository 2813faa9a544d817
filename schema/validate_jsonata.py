"""JSONata expressions: their syntax, and what they refer to (language, section 4; jsonata, "Refused").

The parser is the interpreter's, so that what passes here compiles. A text that still waits for a
substitution is not looked into.
"""

from __future__ import annotations

from detent.core.values import JSON
from detent.query.jsonata import CATCH, ENTRY, EXIT, expression_problems, expressions_in, inside
from detent.query.jsonata import calls as called

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, shorten, show
from .outline import JSONATA, Outline, Part, State
from .schema_files import PARTS, known_fields
from .validate_language import EXPRESSION_PARTS, NO_EXPRESSIONS

_WORKING = frozenset({"Task", "Parallel", "Map"})

#: Fields that are evaluated once the work of a state is done.
_LATE = frozenset({"Output", "Assign"})

_HINTS = {
    "$states.result": "only Output and Assign of a Task, Parallel or Map have a result",
    "$states.errorOutput": "only Output and Assign of a catcher have an error output",
    "Reference to": "an expression starts from $states or from a variable",
}


def check_jsonata(outline: Outline, findings: Findings) -> None:
    for state in outline.states:
        if state.language != JSONATA:
            continue
        for part in (state, *state.parts(*EXPRESSION_PARTS)):
            known = known_fields(part.kind) if part.kind in PARTS else ()
            for name, value in part.value.items():
                if name in known and name not in NO_EXPRESSIONS:
                    _check_field(part, part.at(name), value, _available(state, part, name), findings)


def _available(state: State, part: Part, field: str) -> frozenset[str]:
    """The members of ``$states`` that a field can read."""
    if part.kind == "catcher":
        return CATCH
    return EXIT if part is state and field in _LATE and state.type in _WORKING else ENTRY


def _check_field(
    part: Part, pointer: Pointer, value: JSON, available: frozenset[str], findings: Findings
) -> None:
    for path, text in expressions_in(value):
        if not is_unknown(text):
            _check(part, (*pointer, *path), text, available, findings)


def _check(part: Part, pointer: Pointer, text: str, available: frozenset[str], findings: Findings) -> None:
    expression, _ = inside(text)
    problems = expression_problems(expression, available)
    field = show(next(step for step in reversed(pointer) if isinstance(step, str)))
    for problem in problems:
        where = f"at column {problem.column} of {show(expression)}"
        findings.error(
            "bad-jsonata",
            pointer,
            f"{field} in {part.label} is refused: {shorten(problem.message.rstrip('.'), 200)} {where}",
            hint=next((hint for words, hint in _HINTS.items() if words in problem.message), None),
        )
    if not problems and "eval" in called(expression):
        findings.warning(
            "missing-function",
            pointer,
            f"{field} in {part.label} will fail: the service has no function $eval",
            hint="$parse reads JSON text",
        )
