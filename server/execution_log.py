"""What executions do, as lines of the log: each has the execution, its machine and the state, and no payload."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from detent.core.codec import Step
from detent.core.execution import Execution

from .feed import happenings

log = logging.getLogger(__name__)


def observe(execution: Execution, steps: Sequence[Step]) -> None:
    """Log what has become durable; an observer of the engine."""
    if not log.isEnabledFor(logging.INFO):
        return
    for step in steps:
        for happening in happenings(execution, step):
            facts = {
                "execution": happening.execution,
                "machine": happening.machine.partition(":stateMachine:")[2],
                "state": happening.state,
            }
            if happening.error is not None:
                facts["error"] = happening.error
            log.info("execution %s", happening.kind, extra=facts)
