"""JSONata states over shapes (language, section 4): which variables they read, and what their Output is made of.

What an expression evaluates to is unknown; what stands around the expressions is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from detent.core.values import JSON

from ..document import is_unknown
from ..outline import Part, Scope, State
from ..validate_variables import is_distributed
from .notes import Env, Variable
from .results import ERROR_OUTPUT, answer_of
from .shapes import (
    ARRAY,
    MAX_DEPTH,
    UNKNOWN,
    Member,
    Shape,
    array_of,
    elements_of,
    having,
    object_of,
    of_literal,
)

if TYPE_CHECKING:
    from .states import Exit, Walk


def jsonata_exits(state: State, env: Env, walk: Walk) -> Iterator[Exit]:
    """The ways out of a JSONata state that is entered with ``env``."""
    from .states import Exit

    fields = state.value
    result = _result(state, env, walk)
    if state.type == "Fail":
        return
    if state.type == "Choice":
        for rule in state.parts("rule"):
            yield _leaving(rule, rule.value.get("Next"), state, env, env.payload)
        if "Default" in fields:
            left = _leaving(state, fields["Default"], state, env, env.payload)
            yield replace(left, pointer=state.at("Default"))
        return
    target = fields.get("Next") if fields.get("End") is not True else None
    yield _leaving(state, target, state, env, result)
    for catcher in state.parts("catcher"):
        if isinstance(catcher.value.get("Next"), str):
            left = _leaving(catcher, catcher.value["Next"], state, env, ERROR_OUTPUT)
            yield Exit(left.target, left.pointer, left.env)


def _leaving(part: Part, target: JSON, state: State, env: Env, default: Shape) -> Exit:
    from .states import Exit

    output = template(part.value["Output"]) if "Output" in part.value else default
    if "Output" not in part.value and part.kind == "rule" and "Output" in state.value:
        output = template(state.value["Output"])
    assign = part.value.get("Assign", state.value.get("Assign") if part.kind == "rule" else None)
    env = replace(_assigned(assign, env), payload=output)
    return Exit(target if isinstance(target, str) else None, part.at("Next"), env)


def _assigned(assign: JSON, env: Env) -> Env:
    if not isinstance(assign, dict):
        return env
    variables = {name: Variable(template(value)) for name, value in assign.items()}
    complete = env.complete and not is_unknown(assign) and not any(map(is_unknown, assign))
    return replace(env, variables={**env.variables, **variables}, complete=complete)


def _result(state: State, env: Env, walk: Walk) -> Shape:
    scopes = walk.below.get(state.pointer, [])
    if state.type == "Task":
        return answer_of(state.value.get("Resource"), walk.results)
    if state.type == "Parallel":
        arguments = template(state.value["Arguments"]) if "Arguments" in state.value else env.payload
        outputs = [walk.enter(scope, replace(env, payload=arguments)) for scope in scopes]
        written = state.value.get("Branches")
        if not isinstance(written, list) or len(written) != len(outputs):
            return ARRAY
        return elements_of(output if output.kinds else UNKNOWN for output in outputs)
    if state.type == "Map":
        outputs = [walk.enter(scope, _inside(state, scope, env)) for scope in scopes]
        if "ResultWriter" in state.value or not outputs:
            return UNKNOWN
        return array_of(outputs[0] if outputs[0].kinds else UNKNOWN)
    return env.payload


def _inside(state: State, scope: Scope, env: Env) -> Env:
    selector = state.value.get("ItemSelector")
    payload = UNKNOWN if selector is None else template(selector)
    if "ItemBatcher" in state.value:
        payload = having(Items=array_of(payload), BatchInput=UNKNOWN)
    return Env(payload) if is_distributed(scope) else replace(env, payload=payload)


def template(value: JSON, depth: int = 0) -> Shape:
    """What a value with expressions in it becomes."""
    if is_unknown(value) or depth >= MAX_DEPTH:
        return UNKNOWN
    if isinstance(value, str) and value.startswith("{%"):
        return UNKNOWN
    if isinstance(value, list):
        return elements_of(template(item, depth + 1) for item in value)
    if isinstance(value, dict):
        closed = not any(is_unknown(key) for key in value)
        members = {key: Member(template(item, depth + 1)) for key, item in value.items()}
        return object_of(members, closed=closed)
    return of_literal(value)
