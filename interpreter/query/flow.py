"""How data passes through a state that speaks JSONPath (language, section 3).

    raw input - InputPath - Parameters -> [work] -> ResultSelector - ResultPath (into the raw input) - OutputPath

The objects here are the ``DataFlow`` of the core: built once by the compiler, they know which stages a
state has and nothing of the state itself. A stage that a state does not have is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.bindings import Bindings, Evaluate
from ..core.values import JSON
from .result_path import Place


@dataclass(frozen=True, slots=True)
class PathFlow:
    """The flow of a state. ``literal`` is a Pass state's Result, in a tuple so that null is one."""

    input_path: Evaluate | None = None
    parameters: Evaluate | None = None
    literal: tuple[JSON] | None = None
    result_selector: Evaluate | None = None
    assign: Evaluate | None = None
    result_path: Place | None = None
    output_path: Evaluate | None = None

    def arguments(self, bindings: Bindings) -> JSON:
        """The effective input, made into parameters where the state says how."""
        value = bindings.input
        if self.input_path is not None:
            value = self.input_path(value, bindings)
        if self.parameters is not None:
            value = self.parameters(value, bindings)
        return value if self.literal is None else self.literal[0]

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        """Output and assignments; all expressions see the variables as they were when the state was entered."""
        result = bindings.result
        if self.result_selector is not None:
            result = self.result_selector(result, bindings)
        assigned = None if self.assign is None else self.assign(result, bindings)
        if self.result_path is not None:
            result = self.result_path(bindings.input, result)
        if self.output_path is not None:
            result = self.output_path(result, bindings)
        return result, assigned


@dataclass(frozen=True, slots=True)
class PathCatchFlow:
    """The flow of a catcher: the error output goes into the raw input; OutputPath has no part in it."""

    assign: Evaluate | None = None
    result_path: Place | None = None

    def arguments(self, bindings: Bindings) -> JSON:
        """The error output."""
        return bindings.error

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        """Output and assignments, both from the error output."""
        assigned = None if self.assign is None else self.assign(bindings.error, bindings)
        if self.result_path is None:
            return bindings.error, assigned
        return self.result_path(bindings.input, bindings.error), assigned
