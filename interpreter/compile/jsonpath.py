"""The fields of a state that speaks JSONPath (language, sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..core.bindings import Bindings, Evaluate
from ..core.machine import DataFlow, Rule
from ..core.values import JSON
from ..query import path_fields
from ..query.choice import compile_rule
from ..query.flow import PathCatchFlow, PathFlow
from ..query.intrinsics import compile_intrinsic
from ..query.jsonpath import Engine, compile_path, not_in_input
from ..query.result_path import compile_result_path
from ..query.template import compile_template
from .dialect import Fields, Until, storage_call


class JSONPathFields:
    """One state's fields. ``engine`` evaluates paths that are more than references."""

    def __init__(self, fields: Fields, engine: Engine) -> None:
        self._fields = fields
        self._engine: Engine = engine

    def flow(self) -> PathFlow | None:
        """The stages a state has; None where data passes unchanged."""
        fields = self._fields
        result_path = None
        if "ResultPath" in fields and fields["ResultPath"] != "$":
            text = fields["ResultPath"]
            result_path = _discard if text is None else compile_result_path(text)
        literal = (fields["Result"],) if fields["Type"] == "Pass" and "Result" in fields else None
        flow = PathFlow(
            input_path=self._input_path("InputPath"),
            # A Map may call its ItemSelector so.
            parameters=None if fields["Type"] == "Map" else self._template(fields, "Parameters"),
            literal=literal,
            result_selector=self._template(fields, "ResultSelector"),
            assign=self._template(fields, "Assign"),
            result_path=result_path,
            output_path=self._input_path("OutputPath"),
        )
        return None if flow == PathFlow() else flow

    def catch_flow(self, catcher: Fields, place: str) -> PathCatchFlow:
        text = catcher.get("ResultPath", "$")
        placing = None if text == "$" else _discard if text is None else compile_result_path(text)
        return PathCatchFlow(self._template(catcher, "Assign"), placing)

    def rule(self, rule: Fields, flow: DataFlow | None, place: str) -> Rule:
        """A rule's Assign replaces the state's."""
        test = compile_rule(rule, engine=self._engine)
        if "Assign" in rule:
            own = flow if isinstance(flow, PathFlow) else PathFlow()
            flow = replace(own, assign=self._template(rule, "Assign"))
        return Rule(test, rule["Next"], flow)

    def until(self) -> Until:
        fields = self._fields
        if "Seconds" in fields:
            return path_fields.wait_seconds(int(fields["Seconds"]))
        if "Timestamp" in fields:
            return path_fields.wait_timestamp(fields["Timestamp"])
        if "SecondsPath" in fields:
            return path_fields.wait_seconds_path(fields["SecondsPath"], self._engine)
        return path_fields.wait_timestamp_path(fields["TimestampPath"], self._engine)

    def seconds(self, field: str) -> Evaluate | None:
        if field in self._fields:
            return constant(int(self._fields[field]))
        path = field + "Path"
        if path not in self._fields:
            return None
        return self._on_effective_input(path_fields.task_seconds_path(path, self._fields[path], self._engine))

    def credentials(self) -> Evaluate | None:
        evaluate = self._template(self._fields, "Credentials")
        if evaluate is None:
            return None
        return self._on_effective_input(path_fields.path_credentials(evaluate))

    def items(self) -> Evaluate:
        text = self._fields.get("ItemsPath", "$")
        return self._on_effective_input(path_fields.items_path(text, self._engine))

    def selector(self) -> Evaluate | None:
        field = "ItemSelector" if "ItemSelector" in self._fields else "Parameters"
        evaluate = self._template(self._fields, field)
        return None if evaluate is None else self._on_effective_input(evaluate)

    def concurrency(self) -> Evaluate | None:
        if "MaxConcurrency" in self._fields:
            return constant(int(self._fields["MaxConcurrency"]))
        if "MaxConcurrencyPath" not in self._fields:
            return None
        text = self._fields["MaxConcurrencyPath"]
        return self._on_effective_input(path_fields.concurrency_path(text, self._engine))

    def distributed_items(self) -> Evaluate | None:
        if "ItemReader" in self._fields:
            return None
        text = self._fields.get("ItemsPath", "$")
        return self._on_effective_input(path_fields.collection_path(text, self._engine))

    def tolerated_count(self) -> Evaluate | None:
        if "ToleratedFailureCount" in self._fields:
            return constant(int(self._fields["ToleratedFailureCount"]))
        return self._read("ToleratedFailureCountPath", path_fields.tolerated_count_path)

    def tolerated_percentage(self) -> Evaluate | None:
        if "ToleratedFailurePercentage" in self._fields:
            return constant(float(self._fields["ToleratedFailurePercentage"]))
        return self._read("ToleratedFailurePercentagePath", path_fields.tolerated_percentage_path)

    def reader(self) -> Evaluate | None:
        reader = self._fields.get("ItemReader")
        if reader is None:
            return None
        config = dict(reader.get("ReaderConfig", {}))
        path = config.pop("MaxItemsPath", None)
        most = None if path is None else path_fields.integer_path("MaxItemsPath", path, self._engine)
        arguments = self._template(reader, "Parameters")

        def read(document: JSON, bindings: Bindings) -> JSON:
            limits = {} if most is None else {"MaxItems": most(document, bindings)}
            return storage_call(reader, arguments and arguments(document, bindings), {**config, **limits})

        return self._on_effective_input(read)

    def batcher(self) -> Evaluate | None:
        batcher = self._fields.get("ItemBatcher")
        if batcher is None:
            return None
        items = self._batch_limit(batcher, "MaxItemsPerBatch")
        bytes_most = self._batch_limit(batcher, "MaxInputBytesPerBatch")
        shared = self._template(batcher, "BatchInput") or constant(None)

        def read(document: JSON, bindings: Bindings) -> JSON:
            return {
                "items": items(document, bindings),
                "bytes": bytes_most(document, bindings),
                "input": shared(document, bindings),
            }

        return self._on_effective_input(read)

    def _batch_limit(self, batcher: Fields, field: str) -> Evaluate:
        path = batcher.get(field + "Path")
        if path is None:
            return constant(batcher.get(field))
        return path_fields.positive_path(field + "Path", path, self._engine)

    def writer(self) -> Evaluate | None:
        writer = self._fields.get("ResultWriter")
        if writer is None:
            return None
        arguments = self._template(writer, "Parameters")

        def read(document: JSON, bindings: Bindings) -> JSON:
            return storage_call(
                writer, arguments and arguments(document, bindings), writer.get("WriterConfig", {})
            )

        return self._on_effective_input(read)

    def _read(self, field: str, compiled: Callable[[str, Engine], Evaluate]) -> Evaluate | None:
        text = self._fields.get(field)
        return None if text is None else self._on_effective_input(compiled(text, self._engine))

    def failure_text(self, field: str) -> Evaluate | None:
        if field in self._fields:
            return constant(self._fields[field])
        path = field + "Path"
        if path not in self._fields:
            return None
        text = self._fields[path]
        if text.startswith("States."):
            return compile_intrinsic(text, engine=self._engine)
        return compile_path(text, on_missing=not_in_input(path), engine=self._engine)

    def _input_path(self, field: str) -> Evaluate | None:
        return path_fields.compile_input_path(self._fields.get(field, "$"), self._engine)

    def _template(self, fields: Fields, field: str) -> Evaluate | None:
        if field not in fields:
            return None
        return compile_template(fields[field], field=field, engine=self._engine)

    def _on_effective_input(self, evaluate: Evaluate) -> Evaluate:
        """``evaluate`` with the effective input as its document, for callers that have the raw one."""
        input_path = self._input_path("InputPath")
        if input_path is None:
            return evaluate

        def evaluated(document: JSON, bindings: Bindings) -> JSON:
            return evaluate(input_path(document, bindings), bindings)

        return evaluated


def _discard(document: JSON, result: JSON) -> JSON:
    """ResultPath null: the raw input goes on."""
    return document


def constant(value: JSON) -> Evaluate:
    """The field is a literal."""

    def literal(document: JSON, bindings: Bindings) -> JSON:
        return value

    return literal
