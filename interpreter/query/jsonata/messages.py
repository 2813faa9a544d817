"""What went wrong in an evaluation, in the words of the language's reference.

The engine names the same codes but words some of its messages otherwise; whoever reads the cause of a
failure on the service should read the same here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

#: Failures that have no code: what the service says at its limits.
DEPTH = (
    "Stack overflow error: Check for non-terminating recursive function. "
    "Consider rewriting as tail-recursive"
)
MEMORY = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
TIME = "Expression evaluation timeout: Check for infinite loop"

_CODED = re.compile(r"(?:Parse error: )?(?:.*?: )?([SDTU][0-9]{4}): (.*)", re.DOTALL)
_FUNCTION = re.compile(r"Argument (\d+) of function (\S+)")
_OPERATOR = re.compile(r"operator (\S+)|side of the (\S+) operator")
_QUOTED = re.compile(r"'(.*)'", re.DOTALL)


class EvaluationError(Exception):
    """An evaluation that failed; ``code`` is the language's, None at a limit."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def tail(self) -> str:
        """How a cause ends: limits are joined by a colon, errors of the language are sentences."""
        return f": {self.message}" if self.code is None else f". {self.code}: {self.message}"


def engine_error(text: str) -> EvaluationError:
    """What the engine said, as the reference says it."""
    found = _CODED.match(text)
    if found is None:
        return EvaluationError("D3137", text)
    code, message = found.groups()
    if code in _LIMITS:
        return EvaluationError(None, _LIMITS[code])
    reworded = _REWORDED.get(code)
    return EvaluationError(code, reworded(message) if reworded else message)


def _signature(message: str) -> str:
    found = _FUNCTION.search(message)
    if found is None:
        return message
    name = found.group(2).strip("$\"'")
    return f'Argument {found.group(1)} of function "{name}" does not match function signature'


def _side(side: str) -> Callable[[str], str]:
    def reword(message: str) -> str:
        found = re.search(r"side of the \"?([^\s\"]+)\"? operator", message)
        operator = found.group(1) if found else "?"
        return f'The {side} side of the "{operator}" operator must evaluate to a number'

    return reword


def _constant(text: str) -> Callable[[str], str]:
    return lambda message: text


def _number(message: str) -> str:
    found = _QUOTED.search(message)
    return f'Unable to cast value to a number: "{found.group(1)}"' if found else message


#: The engine's codes for limits that it keeps for us.
_LIMITS: Mapping[str, str] = {"D1011": DEPTH, "D1012": TIME, "D2014": MEMORY, "D2015": MEMORY, "U1001": DEPTH}

_REWORDED: Mapping[str, Callable[[str], str]] = {
    "D1002": lambda message: message.replace("non-number", "non-numeric"),
    "D3010": _constant("Second argument of replace function cannot be an empty string"),
    "D3020": _constant("Third argument of split function must evaluate to a positive number"),
    "D3030": _number,
    "T0410": _signature,
    "T1006": _constant("Attempted to invoke a non-function"),
    "T2001": _side("left"),
    "T2002": _side("right"),
    "T2003": _constant("The left side of the range operator (..) must evaluate to an integer"),
    "T2004": _constant("The right side of the range operator (..) must evaluate to an integer"),
}
