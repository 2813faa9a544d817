"""The fields of a state that speaks JSONata (language, sections 2 and 4)."""

from __future__ import annotations

from ..core.bindings import Bindings, Evaluate
from ..core.machine import DataFlow, Rule
from ..core.values import JSON
from ..query.jsonata import (
    CATCH,
    ENTRY,
    EXIT,
    ExpressionCatchFlow,
    ExpressionFlow,
    Stage,
    compile_collection,
    compile_credentials,
    compile_integer,
    compile_items,
    compile_percentage,
    compile_template,
    compile_typed,
    compile_until,
)
from .dialect import Fields, Until, storage_call

#: States that do work, whose result their Output and Assign can see.
_WORKING = frozenset({"Task", "Parallel", "Map"})
#: Fields whose values become payloads, and nobody looks into them before.
_PASSED_ON = frozenset({"Arguments", "Assign", "Output"})


class JSONataFields:
    """One state's fields. What is evaluated at one time shares one conversion of the values it sees."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._entry = Stage(ENTRY)
        self._exit = Stage(EXIT) if fields["Type"] in _WORKING else self._entry

    def flow(self) -> ExpressionFlow | None:
        flow = ExpressionFlow(
            self._template("Arguments", self._entry),
            self._template("Assign", self._exit),
            self._template("Output", self._exit),
        )
        return None if flow == ExpressionFlow() else flow

    def catch_flow(self, catcher: Fields, place: str) -> ExpressionCatchFlow:
        stage = Stage(CATCH)
        return ExpressionCatchFlow(
            _template(catcher, "Assign", stage, f"{place}/"), _template(catcher, "Output", stage, f"{place}/")
        )

    def rule(self, rule: Fields, flow: DataFlow | None, place: str) -> Rule:
        """A rule's Assign and Output replace the state's."""
        field = f"{place}/Condition"
        test = compile_typed(rule["Condition"], "boolean", field=field, stage=self._entry)
        own = ExpressionFlow(
            assign=self._of_rule(rule, "Assign", place), output=self._of_rule(rule, "Output", place)
        )
        return Rule(test, rule["Next"], None if own == ExpressionFlow() else own)

    def _of_rule(self, rule: Fields, field: str, place: str) -> Evaluate | None:
        if field in rule:
            return _template(rule, field, self._entry, f"{place}/")
        return self._template(field, self._entry)

    def until(self) -> Until:
        return compile_until(self._fields, self._entry)

    def seconds(self, field: str) -> Evaluate | None:
        return self._integer(field, least=1)

    def credentials(self) -> Evaluate | None:
        if "Credentials" not in self._fields:
            return None
        return compile_credentials(self._fields["Credentials"], self._entry)

    def items(self) -> Evaluate:
        return compile_items(self._fields, self._entry)

    def selector(self) -> Evaluate | None:
        return self._template("ItemSelector", Stage(ENTRY))

    def concurrency(self) -> Evaluate | None:
        return self._integer("MaxConcurrency", least=0)

    def distributed_items(self) -> Evaluate | None:
        return None if "ItemReader" in self._fields else compile_collection(self._fields, self._entry)

    def tolerated_count(self) -> Evaluate | None:
        return self._integer("ToleratedFailureCount", least=0)

    def tolerated_percentage(self) -> Evaluate | None:
        value: JSON = self._fields.get("ToleratedFailurePercentage")
        return None if value is None else compile_percentage(value, stage=self._entry)

    def reader(self) -> Evaluate | None:
        return self._storage("ItemReader", "ReaderConfig")

    def batcher(self) -> Evaluate | None:
        batcher = self._fields.get("ItemBatcher")
        if batcher is None:
            return None
        items = self._batch_limit(batcher, "MaxItemsPerBatch")
        bytes_most = self._batch_limit(batcher, "MaxInputBytesPerBatch")
        shared = compile_template(
            batcher.get("BatchInput"), place="ItemBatcher/BatchInput", stage=self._entry
        )

        def read(document: JSON, bindings: Bindings) -> JSON:
            return {
                "items": items and items(document, bindings),
                "bytes": bytes_most and bytes_most(document, bindings),
                "input": shared(document, bindings),
            }

        return read

    def _batch_limit(self, batcher: Fields, field: str) -> Evaluate | None:
        if field not in batcher:
            return None
        return compile_integer(batcher[field], field=f"ItemBatcher/{field}", stage=self._entry, least=1)

    def writer(self) -> Evaluate | None:
        return self._storage("ResultWriter", "WriterConfig")

    def _storage(self, field: str, config: str) -> Evaluate | None:
        part = self._fields.get(field)
        if part is None:
            return None
        arguments = compile_template(part.get("Arguments"), place=f"{field}/Arguments", stage=self._entry)
        settings = self._settings(part.get(config, {}), f"{field}/{config}")

        def read(document: JSON, bindings: Bindings) -> JSON:
            return storage_call(part, arguments(document, bindings), settings(document, bindings))

        return read

    def _settings(self, config: JSON, place: str) -> Evaluate:
        """ReaderConfig or WriterConfig; the number of items is of the right type before anything is read."""
        if not isinstance(config, dict) or "MaxItems" not in config:
            return compile_template(config, place=place, stage=self._entry)
        others = {name: value for name, value in config.items() if name != "MaxItems"}
        settings = compile_template(others, place=place, stage=self._entry)
        most = compile_typed(config["MaxItems"], "number", field=f"{place}/MaxItems", stage=self._entry)
        return lambda document, bindings: {
            **settings(document, bindings),
            "MaxItems": most(document, bindings),
        }

    def failure_text(self, field: str) -> Evaluate | None:
        if field not in self._fields:
            return None
        return compile_typed(self._fields[field], "string", field=field, stage=self._entry)

    def _template(self, field: str, stage: Stage) -> Evaluate | None:
        return _template(self._fields, field, stage)

    def _integer(self, field: str, *, least: int) -> Evaluate | None:
        value: JSON = self._fields.get(field)
        if value is None:
            return None
        return compile_integer(value, field=field, stage=self._entry, least=least)


def _template(fields: Fields, field: str, stage: Stage, place: str = "") -> Evaluate | None:
    """A field of a part of the state that stands at ``place``."""
    if field not in fields:
        return None
    return compile_template(
        fields[field], place=f"{place}{field}", stage=stage, passes_on=field in _PASSED_ON
    )
