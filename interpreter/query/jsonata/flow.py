"""How data passes through a state that speaks JSONata (language, section 4).

    input -> Arguments -> [work] -> result -> Output, and Assign beside it

Both see the variables as they were when the state was entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.values import JSON
from ..bindings import Bindings, Evaluate


@dataclass(frozen=True, slots=True)
class ExpressionFlow:
    """The flow of a state; what it does not say is None: arguments are the input, the output is the result."""

    made_arguments: Evaluate | None = None
    assign: Evaluate | None = None
    output: Evaluate | None = None

    def arguments(self, bindings: Bindings) -> JSON:
        """What the state's work receives."""
        if self.made_arguments is None:
            return bindings.input
        return self.made_arguments(bindings.input, bindings)

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        """Output and assignments, once ``bindings.result`` is known."""
        assigned = None if self.assign is None else self.assign(bindings.result, bindings)
        output = bindings.result if self.output is None else self.output(bindings.result, bindings)
        return output, assigned


@dataclass(frozen=True, slots=True)
class ExpressionCatchFlow:
    """The flow of a catcher: its output is the error output unless it says otherwise."""

    assign: Evaluate | None = None
    output: Evaluate | None = None

    def arguments(self, bindings: Bindings) -> JSON:
        """The error output."""
        return bindings.error

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        """Output and assignments, both of which see ``bindings.error``."""
        assigned = None if self.assign is None else self.assign(bindings.error, bindings)
        output = bindings.error if self.output is None else self.output(bindings.error, bindings)
        return output, assigned
