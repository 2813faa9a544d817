"""JSONata in random machines: flows and fields as the compiler makes them of expressions."""

from __future__ import annotations

from typing import Any

from detent.core.bindings import Evaluate
from detent.core.machine import Rule
from detent.query.jsonata import (
    CATCH,
    ENTRY,
    EXIT,
    ExpressionCatchFlow,
    ExpressionFlow,
    Stage,
    compile_integer,
    compile_items,
    compile_template,
    compile_typed,
    compile_until,
)


def flow(output: Any = None, *, arguments: Any = None, assign: Any = None) -> ExpressionFlow:
    """A flow of templates, None where a state has not the field."""
    entry, exit = Stage(ENTRY), Stage(EXIT)
    return ExpressionFlow(
        None if arguments is None else compile_template(arguments, place="Arguments", stage=entry),
        None if assign is None else compile_template(assign, place="Assign", stage=exit),
        None if output is None else compile_template(output, place="Output", stage=exit),
    )


def catch_flow(output: Any) -> ExpressionCatchFlow:
    """The flow of a catcher."""
    return ExpressionCatchFlow(None, compile_template(output, place="Output", stage=Stage(CATCH)))


FAILING = flow("{% 'one' + 1 %}")
FLOWS = (
    flow(arguments={"of": "{% $states.context.State.Name %}", "n": "{% 1 + 1 %}"}),
    flow({"result": "{% $states.result %}", "in": "{% $type($states.input) %}"}),
    flow("{% $random() %}"),
    flow("{% $count([1..20]) %}", assign={"told": "{% $string($states.input) %}"}),
    flow("{% $exists($told) ? $length($told) : 0 %}", assign={"rounds": "{% 3 %}"}),
    FAILING,
)
CATCHES = (
    catch_flow({"caught": "{% $states.errorOutput.Error %}"}),
    catch_flow("{% $states.errorOutput.Nothing.at.all %}"),
)


def round_below(bound: int, next: str, counted: Any) -> Rule:
    """A choice that holds while a counter is small."""
    condition = f"{{% ($exists($rounds) ? $rounds : 0) < {bound} %}}"
    return Rule(compile_typed(condition, "boolean", field="Condition", stage=Stage(ENTRY)), next, counted)


def items(number: int) -> Evaluate:
    """That many items."""
    return compile_items({"Items": f"{{% [1..{number}] %}}"}, Stage(ENTRY))


def selector() -> Evaluate:
    """An iteration's input, of its item."""
    template = {
        "item": "{% $states.context.Map.Item.Value %}",
        "at": "{% $states.context.Map.Item.Index %}",
    }
    return compile_template(template, place="ItemSelector", stage=Stage(ENTRY))


def seconds(number: int | None) -> Evaluate | None:
    """TimeoutSeconds or HeartbeatSeconds; None where there is none."""
    if number is None:
        return None
    return compile_integer(f"{{% {number - 1} + 1 %}}", field="TimeoutSeconds", stage=Stage(ENTRY), least=1)


def until(number: int) -> Any:
    """When a Wait is over."""
    return compile_until({"Seconds": f"{{% $sum([{number}, 0]) %}}"}, Stage(ENTRY))


def error() -> Evaluate:
    """What a Fail state raises."""
    return compile_typed("{% 'E' & '1' %}", "string", field="Error", stage=Stage(ENTRY))
