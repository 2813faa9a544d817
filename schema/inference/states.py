"""What each type of state makes of what it is entered with (language, sections 2 and 3).

One function per type, over the stages of JSONPath; a JSONata state goes through :mod:`.expressions`. A state
answers its *exits*: where it may go, and with what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from detent.core.values import JSON

from ..diagnostics import Pointer
from ..document import is_unknown
from ..outline import Part, Scope, State
from ..validate_variables import is_distributed
from .narrowing import judge
from .notes import Env, Variable
from .reading import present, put
from .results import ERROR_OUTPUT, answer_of
from .shapes import (
    ARRAY,
    NUMBER,
    OBJECT,
    STRING,
    UNKNOWN,
    Shape,
    array_of,
    elements_of,
    having,
    object_of,
    of_literal,
)
from .stage import Stage, parsed_path
from .walk import Exit, Walk


def exits_of(state: State, env: Env, walk: Walk) -> Iterator[Exit]:
    """The ways out of a JSONPath state that is entered with ``env``."""
    flow = _Flow(state, env, walk)
    if state.type == "Fail":
        flow.failure()
    elif state.type == "Choice":
        yield from flow.choice()
    else:
        yield flow.onward(_RESULTS[state.type or "Pass"](flow))
        yield from flow.caught()


class _Flow:
    """One visit of one state."""

    def __init__(self, state: State, env: Env, walk: Walk) -> None:
        self.state = state
        self.fields = state.value
        self.env = env
        self.walk = walk
        self.raw = Stage(state, env, env.payload, walk.notes, raw=True)
        self.entry = self._entry()

    def stage(self, document: Shape) -> Stage:
        return Stage(self.state, self.env, document, self.walk.notes)

    def _entry(self) -> Stage:
        """The stage of the effective input, which is the raw input unless InputPath says otherwise."""
        text = self.fields.get("InputPath", "$")
        if text == "$":
            return self.raw
        if text is None:
            return self.stage(object_of({}))
        return self.stage(self.raw.path(self.state, self.state.at("InputPath"), text))

    def template(self, stage: Stage, name: str) -> Shape | None:
        """What a template in a field makes; None where the state has none."""
        if name not in self.fields:
            return None
        return stage.template(self.state, self.state.at(name), self.fields[name])

    def parameters(self) -> Shape:
        made = self.template(self.entry, "Parameters")
        return self.entry.document if made is None else made

    # What comes out

    def onward(self, result: Shape) -> Exit:
        """The way on with a result: ResultSelector, Assign, ResultPath, OutputPath."""
        selected = self.template(self.stage(result), "ResultSelector")
        result = result if selected is None else selected
        env = self.assigned(self.state, self.stage(result))
        output = self._placed(self.state, result)
        return self._leaving(self.fields, self.state.at("Next"), output, env)

    def _leaving(self, fields: Mapping[str, JSON], pointer: Pointer, output: Shape, env: Env) -> Exit:
        text = self.fields.get("OutputPath", "$")
        if text is None:
            output = object_of({})
        elif text != "$":
            output = self.stage(output).path(self.state, self.state.at("OutputPath"), text)
        target = fields.get("Next")
        known = isinstance(target, str) and fields.get("End") is not True
        return Exit(str(target) if known else None, pointer, replace(env, payload=output))

    def _placed(self, part: Part, result: Shape) -> Shape:
        text = part.value.get("ResultPath", "$")
        raw = self._met_input() if part is self.state else self.env.payload
        if text is None:
            return raw
        if part is self.state and self.state.type in ("Wait", "Succeed"):
            return result
        path = parsed_path(text)
        return UNKNOWN if path is None else put(raw, path.steps, result)

    def _met_input(self) -> Shape:
        """The raw input, in which everything that was read is there."""
        shape = self.env.payload
        for steps in self.raw.met:
            shape = present(shape, steps)
        return shape

    def assigned(self, part: Part, stage: Stage) -> Env:
        """The variables after Assign of the state, of a catcher or of a rule."""
        assign = part.value.get("Assign")
        if not isinstance(assign, dict):
            return self.env
        made = stage.template(part, part.at("Assign"), assign)
        variables: dict[str, Variable] = {}
        complete = not is_unknown(assign) and not any(map(is_unknown, assign))
        for name in assign:
            plain = name.removesuffix(".$")
            known = made.member(plain)
            variables[plain] = Variable(UNKNOWN if known is None or known.is_absent else known.shape)
        return self.env.assigning(variables, complete=complete)

    def caught(self) -> Iterator[Exit]:
        """The ways through the catchers; OutputPath has no part in them."""
        for catcher in self.state.parts("catcher"):
            env = self.assigned(catcher, self.stage(ERROR_OUTPUT))
            output = self._placed(catcher, ERROR_OUTPUT)
            target = catcher.value.get("Next")
            if isinstance(target, str):
                yield Exit(target, catcher.at("Next"), replace(env, payload=output))

    # One function per type

    def passing(self) -> Shape:
        parameters = self.parameters()
        if "Result" not in self.fields:
            return parameters
        result = self.fields["Result"]
        return UNKNOWN if is_unknown(result) else of_literal(result)

    def task(self) -> Shape:
        self.parameters()
        self.template(self.entry, "Credentials")
        for name in ("TimeoutSecondsPath", "HeartbeatSecondsPath"):
            self.number(name)
        return answer_of(self.fields.get("Resource"), self.walk.results)

    def number(self, name: str) -> None:
        self.entry.path(
            self.state, self.state.at(name), self.fields.get(name), wanted=NUMBER.kinds | STRING.kinds
        )

    def wait(self) -> Shape:
        stage, at = self.entry, self.state.at
        stage.path(self.state, at("SecondsPath"), self.fields.get("SecondsPath"), wanted=NUMBER.kinds)
        stage.path(self.state, at("TimestampPath"), self.fields.get("TimestampPath"), wanted=STRING.kinds)
        return self._through()

    def _through(self) -> Shape:
        """The effective input, in which everything that was read is there."""
        return self._met_input() if self.entry is self.raw else self.entry.document

    def failure(self) -> None:
        for name in ("ErrorPath", "CausePath"):
            self.entry.expression(self.state, self.state.at(name), self.fields.get(name))

    def parallel(self) -> Shape:
        env = replace(self.env, payload=self.parameters())
        branches = [self.walk.enter(scope, env) for scope in self.walk.below.get(self.state.pointer, ())]
        written = self.fields.get("Branches")
        if not isinstance(written, list) or len(written) != len(branches):
            return ARRAY
        # A branch without an end of its own leaves nothing behind it that could be judged.
        return elements_of(output if output.kinds else UNKNOWN for output in branches)

    def map(self) -> Shape:
        for name in ("MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath"):
            self.number(name)
        item = self._item()
        stage = replace(self.entry, item=item)
        selector = self.template(stage, "ItemSelector")
        if selector is None:
            selector = self.template(stage, "Parameters")
        payload = item if selector is None else selector
        outputs = [
            self.walk.enter(scope, self._inside(scope, payload))
            for scope in self.walk.below.get(self.state.pointer, ())
        ]
        if "ResultWriter" in self.fields or not outputs:
            return UNKNOWN
        return array_of(outputs[0] if outputs[0].kinds else UNKNOWN)

    def _item(self) -> Shape:
        for part in self.state.parts("itemReader", "itemBatcher", "resultWriter"):
            for name in ("Parameters", "BatchInput"):
                if name in part.value:
                    self.entry.template(part, part.at(name), part.value[name])
        if "ItemReader" in self.fields:
            return UNKNOWN
        if "ItemsPath" not in self.fields:
            return self.entry.document.item() if self.entry.document.kinds == ARRAY.kinds else UNKNOWN
        wanted = ARRAY.kinds | OBJECT.kinds if self._is_distributed() else ARRAY.kinds
        pointer = self.state.at("ItemsPath")
        items = self.entry.path(self.state, pointer, self.fields["ItemsPath"], wanted=wanted)
        found = items.item() if items.kinds == ARRAY.kinds else UNKNOWN
        return found if found.kinds else UNKNOWN

    def _is_distributed(self) -> bool:
        return any(is_distributed(scope) for scope in self.walk.below.get(self.state.pointer, ()))

    def _inside(self, scope: Scope, payload: Shape) -> Env:
        if "ItemBatcher" in self.fields:
            payload = having(Items=array_of(payload), BatchInput=UNKNOWN)
        if is_distributed(scope):
            return Env(payload)
        return replace(self.env, payload=payload)

    def choice(self) -> Iterator[Exit]:
        """Each rule sees what those before it have left."""
        parts = {id(part.value): part for part in self.state.parts("rule", "nestedRule")}
        document = self.entry.document
        stage = replace(self.entry, document=document)
        for rule in self.state.parts("rule"):
            ways = judge(stage, parts, rule.value)
            if ways.yes.kinds:
                yield self._chosen(rule, ways.yes)
            stage.document = ways.no
            if not ways.no.kinds:
                return
        if isinstance(self.fields.get("Default"), str):
            env = self.assigned(self.state, self.stage(stage.document))
            exit = self._leaving(
                {"Next": self.fields["Default"]}, self.state.at("Default"), stage.document, env
            )
            yield exit

    def _chosen(self, rule: Part, document: Shape) -> Exit:
        assigning = rule if "Assign" in rule.value else self.state
        env = self.assigned(assigning, self.stage(document))
        return self._leaving(rule.value, rule.at("Next"), document, env)


_RESULTS: Mapping[str, Callable[[_Flow], Shape]] = {
    "Pass": _Flow.passing,
    "Task": _Flow.task,
    "Wait": _Flow.wait,
    "Succeed": _Flow._through,
    "Parallel": _Flow.parallel,
    "Map": _Flow.map,
}
