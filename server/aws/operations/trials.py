"""TestState and ValidateStateMachineDefinition: definitions tried without being published (api, sections 9, 14)."""

from __future__ import annotations

from detent.core.values import JSON
from detent.runtime.helpers import Ended
from detent.runtime.trials import run_trial
from detent.teststate import Refused

from ...apart import diagnose
from .. import arns
from ..call import Call
from ..errors import ServiceError, unjudged


async def test_state(call: Call) -> JSON:
    if "roleArn" in call.params:
        arns.check_role(call.params["roleArn"])
    try:
        return await run_trial(
            call.params,
            call.service.handlers.handler,
            place=call.prefix,
            clock=call.service.clock,
            helpers=call.service.desk.helpers,
        )
    except Refused as refused:
        raise ServiceError(refused.code, refused.message) from None


async def validate_state_machine_definition(call: Call) -> JSON:
    params = call.params
    try:
        return await call.service.desk.apart(diagnose, params)
    except Ended as ended:
        raise unjudged(ended) from None
