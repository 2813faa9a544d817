"""Variables: their names, and who may assign them (language, section 5)."""

from __future__ import annotations

from collections.abc import Iterator

from detent.core.values import JSON

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, show
from .outline import JSONATA, Outline, Part, Scope, State

#: The longest name of a variable, in characters.
NAME_LENGTH_MAX = 80

RESERVED = "states"


def check_variables(outline: Outline, findings: Findings) -> None:
    owned = {id(scope): assigned_in(scope) for scope in outline.scopes}
    for state in outline.states:
        outer = [(scope, owned[id(scope)]) for scope in visible_around(state.scope)]
        for part, pointer, name in assignments(state):
            if is_unknown(name):
                continue
            _check_name(part, pointer, name, findings)
            for scope, names in outer:
                if name in names:
                    findings.error(
                        "outer-variable",
                        pointer,
                        f"Assign in {part.label} sets {show(name)}, a variable of {scope.label}",
                        hint="an inner scope reads outer variables and cannot set them; use another name",
                        on_key=True,
                        related=[(names[name], "assigned here in the enclosing scope")],
                    )
                    break


def visible_around(scope: Scope) -> Iterator[Scope]:
    """The enclosing scopes whose variables a scope sees: none beyond a distributed Map."""
    while scope.owner is not None and not is_distributed(scope):
        scope = scope.owner.scope
        yield scope


def is_distributed(scope: Scope) -> bool:
    """Whether the items of this Map scope are executions of their own, or may be."""
    mode = processor_config(scope).get("Mode")
    return mode == "DISTRIBUTED" or is_unknown(mode)


def processor_config(scope: Scope) -> dict[str, JSON]:
    config = scope.value.get("ProcessorConfig")
    return config if isinstance(config, dict) else {}


def assigned_in(scope: Scope) -> dict[str, Pointer]:
    """The variables of a scope, each with the first place that sets it."""
    found: dict[str, Pointer] = {}
    for state in scope.states.values():
        for _, pointer, name in assignments(state):
            found.setdefault(name, pointer)
    return found


def assignments(state: State) -> Iterator[tuple[Part, Pointer, str]]:
    """Each variable that a state, a catcher or a choice rule of it sets."""
    for part in (state, *state.parts("catcher", "rule")):
        assign = part.value.get("Assign")
        if not isinstance(assign, dict):
            continue
        for key in assign:
            name = key if state.language == JSONATA else key.removesuffix(".$")
            yield part, part.at("Assign", key), name


def _check_name(part: Part, pointer: Pointer, name: str, findings: Findings) -> None:
    if name == RESERVED:
        problem, hint = f"'{RESERVED}' is reserved", "choose another name"
    elif "." in name:
        problem, hint = f"{show(name)} is no variable name", "a variable is set as a whole, not in parts"
    elif not name.isidentifier() or name.startswith("_"):
        problem = f"{show(name)} is no variable name"
        hint = "a name begins with a letter; letters, digits and underscores follow"
    elif len(name) > NAME_LENGTH_MAX:
        problem, hint = f"'{name[:20]}...' is too long a name", f"at most {NAME_LENGTH_MAX} characters"
    else:
        return
    findings.error(
        "bad-variable-name", pointer, f"{problem}, in Assign of {part.label}", hint=hint, on_key=True
    )
