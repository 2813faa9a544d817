"""Random definitions: every type of state in both languages, as somebody writes them.

As in ``machines``, they are read off a tape of bytes, states lead forwards but for a Choice that counts, and so every
execution comes to an end once its tasks are answered. Much of what they ask for fails in some executions: what a path
leads to is there, or of another kind, or missing.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Literal

from hypothesis import strategies as st

from .machines import COVERED, SIGNALS, Tape

#: The language of all states, or of each its own.
Language = Literal["JSONPath", "JSONata", "both"]

RESOURCES = (
    "task:work",
    *(f"signal:{name}" for name in SIGNALS),
    "arn:aws:states:us-east-1:123456789012:activity:review",
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "arn:aws:states:::states:startExecution.sync:2",
    "arn:aws:lambda:us-east-1:123456789012:function:work",
)
#: What is there nearly always, and what may not be.
SOUND = ("$", "$", "$", "$$.State.Name", "$$.Execution.Input", "$..n", "$.*")
PATHS = (*SOUND * 6, "$.n", "$.found", "$.found[1]", "$.missing", "$.found.deep.er")
FUNCTIONS = (
    "States.Format('{} of {}', $$.State.Name, $$.Execution.Name)",
    "States.MathRandom(1, 9)",
    "States.UUID()",
    "States.ArrayRange(1, 5, 2)",
    "States.JsonToString($)",
    "States.StringToJson('[1, 2]')",
    "States.MathAdd($$.Execution.Input.n, 1)",
)
EXPRESSIONS = (
    "{% $states.input %}",
    "{% {'n': 1, 'was': $type($states.input)} %}",
    "{% $states.context.Execution.Input.n %}",
    "{% $random() %}",
    "{% $now() %}",
    "{% $partition([1..5], 2) %}",
    "{% $uuid() & $states.context.State.Name %}",
    "{% $string($states.input) %}",
    "{% $sum([1..4]) %}",
    "{% [1, 2].{'each': $} %}",
    "{% $exists($kept0) ? $kept0 : 'nothing' %}",
    "{% $exists($kept2) ? $kept2 : 'nothing' %}",
    "{% $states.input.missing %}",
)
RESULTS = ("{% $states.result %}", "{% {'n': 2, 'of': $states.result} %}", *EXPRESSIONS)
CAUGHT = ("{% $states.errorOutput %}", "{% $states.errorOutput.Error & '!' %}", *EXPRESSIONS[:3])
#: Errors that a retrier or a catcher covers: all of them in every second.
CAUGHT_ERRORS = (*COVERED, *["States.ALL"] * 6)


def definitions(language: Language, *, depth: int = 2, width: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Definitions with containers nested ``depth`` deep and scopes of up to ``width`` states."""
    tapes = st.binary(min_size=400, max_size=400)
    return tapes.map(lambda tape: _Writer(Tape(tape), language, width).machine(depth))


class _Writer:
    def __init__(self, tape: Tape, language: Language, width: int) -> None:
        self.tape = tape
        self.language = language
        self.width = width
        self.numbers = count()
        self.kept, self.rounds = "kept", "rounds"

    def machine(self, depth: int) -> dict[str, Any]:
        machine = self.scope(depth)
        if self.language == "JSONata":
            machine["QueryLanguage"] = "JSONata"
        if self.tape.upto(3) == 3:
            machine["TimeoutSeconds"] = 30
        return machine

    def scope(self, depth: int) -> dict[str, Any]:
        names = [f"S{next(self.numbers)}" for _ in range(2 + self.tape.upto(self.width - 2))]
        around = self.kept, self.rounds
        # No scope assigns what one around it does.
        self.kept, self.rounds = f"kept{depth}", f"rounds{depth}"
        states = {name: self.state(depth, names, place) for place, name in enumerate(names)}
        self.kept, self.rounds = around
        return {"StartAt": names[0], "States": states}

    def state(self, depth: int, names: list[str], place: int) -> dict[str, Any]:
        later = names[place + 1 :]
        kinds = "Pass Task Task Task Wait " + ("Map Parallel " * 3 if depth else "")
        kinds += "Choice Choice" if later else "Pass Wait Fail Succeed Success"
        kind = self.tape.pick(kinds.split())
        speaks = self.language == "JSONata" or (self.language == "both" and self.tape.upto(1) == 1)
        state: dict[str, Any] = {"Type": kind}
        if speaks and self.language == "both":
            state["QueryLanguage"] = "JSONata"
        if kind == "Choice":
            return state | self.choice(names[0], later, speaks=speaks)
        if kind == "Fail":
            return state | self.failure(speaks=speaks)
        if kind not in ("Succeed", "Success"):
            state |= {"Next": later[0]} if later else {"End": True}
        if kind == "Wait":
            return state | self.wait(speaks=speaks)
        state |= self.flow(kind, speaks=speaks)
        if kind == "Task":
            state |= self.task(speaks=speaks)
        elif kind == "Parallel":
            state["Branches"] = [self.scope(depth - 1) for _ in range(1 + self.tape.upto(2))]
        elif kind == "Map":
            state |= self.map(depth, speaks=speaks)
        if kind in ("Task", "Parallel", "Map"):
            state |= self.handlers(later, speaks=speaks)
        return state

    def choice(self, first: str, later: list[str], *, speaks: bool) -> dict[str, Any]:
        """In JSONata it leads back to the first state of the scope while a counter is small."""
        if speaks:
            rounds = f"($exists(${self.rounds}) ? ${self.rounds} : 0)"
            back = {
                "Condition": f"{{% {rounds} < {self.tape.upto(2)} %}}",
                "Assign": {self.rounds: f"{{% {rounds} + 1 %}}"},
                "Next": first,
            }
            other = {
                "Condition": self.tape.pick(("{% false %}", "{% $states.context.Execution.Input.n > 9 %}"))
            }
            rules = [back, {**other, "Next": later[0]}]  # every state can be reached
        else:
            operators: tuple[dict[str, Any], ...] = (
                {"Variable": "$.missing", "IsPresent": True},
                {"Variable": "$$.State.Name", "StringMatches": "S1*"},
                {"Variable": "$$.Execution.Input.n", "NumericLessThan": 5},
                {
                    "And": [
                        {"Variable": "$.n", "IsPresent": True},
                        {"Not": {"Variable": "$.n", "IsNull": True}},
                    ]
                },
                {"Or": [{"Variable": "$", "IsString": True}, {"Variable": "$", "IsNull": True}]},
                {"Variable": "$.missing", "BooleanEquals": True},
            )
            operators = (*operators[:-1] * 4, operators[-1])  # the last one fails
            rules = [
                {**self.tape.pick(operators), "Next": next} for next in (self.tape.pick(later), later[0])
            ]
        return {"Choices": rules, **({} if self.tape.upto(9) == 9 else {"Default": self.tape.pick(later)})}

    def failure(self, *, speaks: bool) -> dict[str, Any]:
        if speaks:
            return {
                "Error": self.tape.pick(("E1", "{% 'E' & '2' %}")),
                "Cause": "{% $string($states.input) %}",
            }
        return self.tape.pick(
            ({}, {"Error": "E1", "Cause": "a cause"}, {"ErrorPath": "$.n"}, {"CausePath": "$.found"})
        )

    def wait(self, *, speaks: bool) -> dict[str, Any]:
        seconds = self.tape.upto(5)
        if speaks:
            until = self.tape.pick(
                (seconds, f"{{% {seconds} + 0 %}}", "{% $length($states.context.State.Name) %}")
            )
            return {"Seconds": until, **self.assigned(speaks=True, outputs=EXPRESSIONS)}
        return self.tape.pick(
            (
                {"Seconds": seconds},
                {"SecondsPath": "$$.Execution.Input.n"},
                {"Timestamp": "2001-01-01T00:00:00Z"},
            )
        )

    def flow(self, kind: str, *, speaks: bool) -> dict[str, Any]:
        """What becomes of the data on its way."""
        if speaks:
            if kind in ("Succeed", "Success"):  # it assigns nothing
                return self.some({"Output": self.value(EXPRESSIONS)})
            outputs = EXPRESSIONS if kind == "Pass" else RESULTS
            arguments = {"Arguments": self.value(EXPRESSIONS)} if kind in ("Task", "Parallel") else {}
            return {**self.some(arguments), **self.assigned(speaks=True, outputs=outputs)}
        fields: dict[str, Any] = {"InputPath": self.tape.pick(PATHS), "OutputPath": self.tape.pick(PATHS)}
        if kind in ("Succeed", "Success"):
            return self.some(fields)
        fields["ResultPath"] = self.tape.pick(("$.found", "$.found.deep", "$", None))
        if kind == "Pass":
            fields["Result"] = {"n": 1}
        if kind != "Map":
            fields["Parameters"] = self.template()
        if kind != "Pass":
            fields["ResultSelector"] = self.template()
        return {**self.some(fields), **self.assigned(speaks=False, outputs=())}

    def task(self, *, speaks: bool) -> dict[str, Any]:
        timeout = self.tape.pick((None, 9, "{% 4 + 5 %}" if speaks else 9))
        heartbeat = self.tape.pick((None, None, 2))
        fields = {"TimeoutSeconds": timeout, "HeartbeatSeconds": heartbeat}
        task = {"Resource": self.tape.pick(RESOURCES)}
        return task | {name: value for name, value in fields.items() if value is not None}

    def map(self, depth: int, *, speaks: bool) -> dict[str, Any]:
        processor = self.scope(depth - 1)
        if self.tape.upto(4) == 4:
            processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        fields: dict[str, Any] = {"MaxConcurrency": self.tape.upto(3)}
        if speaks:
            fields["Items"] = self.tape.pick(([1, 2, 3], "{% [1..3] %}", [], "{% $states.input %}"))
            fields["ItemSelector"] = {"item": "{% $states.context.Map.Item.Value %}", "n": 1}
        else:
            fields["ItemsPath"] = self.tape.pick(("$..*", "$..*", "$.found", "$"))
            fields["ItemSelector"] = {"item.$": "$$.Map.Item.Value", "n.$": "$$.Map.Item.Index"}
        # Most inputs are no list.
        items = {"Items": [1, 2]} if speaks else {"ItemsPath": "$..*"}
        return {"ItemProcessor": processor, **items, **self.some(fields)}

    def handlers(self, later: list[str], *, speaks: bool) -> dict[str, Any]:
        retriers = [
            {
                "ErrorEquals": [self.tape.pick(CAUGHT_ERRORS)],
                "IntervalSeconds": 1 + self.tape.upto(2),
                "MaxAttempts": self.tape.upto(2),
                "BackoffRate": self.tape.pick((1.0, 2.0)),
                "JitterStrategy": self.tape.pick(("NONE", "FULL")),
            }
            for _ in range(self.tape.upto(1))
        ]
        catchers: list[dict[str, Any]] = []
        for _ in range(self.tape.upto(1) if later else 0):
            catcher = {"ErrorEquals": [self.tape.pick(CAUGHT_ERRORS)], "Next": self.tape.pick(later)}
            if speaks:
                catchers.append(catcher | self.assigned(speaks=True, outputs=CAUGHT))
            else:
                catchers.append(catcher | self.some({"ResultPath": "$.found"}))
        return {**({"Retry": retriers} if retriers else {}), **({"Catch": catchers} if catchers else {})}

    def assigned(self, *, speaks: bool, outputs: tuple[str, ...]) -> dict[str, Any]:
        if not speaks:
            return self.some({"Assign": {f"{self.kept}.$": self.tape.pick(PATHS)}})
        return self.some({"Assign": {self.kept: self.value(EXPRESSIONS)}, "Output": self.value(outputs)})

    def template(self) -> dict[str, Any]:
        return {"n": 1, "made.$": self.tape.pick((*PATHS, *FUNCTIONS * 3)), "found": ["x", {"y.$": "$"}]}

    def value(self, expressions: tuple[str, ...]) -> Any:
        """An expression, or something that holds some."""
        shape = self.tape.upto(2)
        chosen = self.tape.pick(expressions)
        return chosen if shape == 0 else [chosen, 1] if shape == 1 else {"n": 3, "found": chosen}

    def some(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Every third field, about."""
        return {name: value for name, value in fields.items() if self.tape.upto(2) == 2}
