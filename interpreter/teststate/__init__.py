"""TestState: one state tried on its own, with what happened to its data on the way (api, section 14).

Pure: a request goes in, and an answer comes out, or the call that somebody has to make first. The state is run by
the core, so what holds for executions holds here.
"""

from .apart import Asked, Step, Work, read_answer, take, write_step
from .refusal import Refused
from .trial import Call, Trial

__all__ = ["Asked", "Call", "Refused", "Step", "Trial", "Work", "read_answer", "take", "write_step"]
