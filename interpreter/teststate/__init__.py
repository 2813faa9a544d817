"""TestState: one state tried on its own, with what happened to its data on the way (api, section 14).

Pure: a request goes in, and an answer comes out, or the call that somebody has to make first. The state is run by
the core, so what holds for executions holds here.
"""

from .refusal import Refused
from .trial import Call, Trial

__all__ = ["Call", "Refused", "Trial"]
