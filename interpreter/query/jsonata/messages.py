"""What went wrong in an evaluation, in the words of the language's reference.

The engine names the same codes but words some of its messages otherwise; whoever reads the cause of a
failure on the service should read the same here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping

#: Failures that have no code: what the service says at its limits.
DEPTH = (
    "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
)
MEMORY = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
TIME = "Expression evaluation timeout: Check for infinite loop"

_CODED = re.compile(r"(?:Parse error: )?(?:.*?: )?([SDTU][0-9]{4}): (.*)", re.DOTALL)
_FUNCTION = re.compile(r"Argument (\d+) of function (\S+)")
_ARRAY_OF = re.compile(r"Argument (\d+) must be an array of (\w+)")
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


def engine_error(
    text: str, calls: Iterable[str] = (), operators: Collection[str] = frozenset()
) -> EvaluationError:
    """What the engine said, as the reference says it; ``calls`` and ``operators`` are those that may be to blame."""
    found = _CODED.match(text)
    if found is None:
        return EvaluationError("D3137", text)
    code, message = found.groups()
    if code in _LIMITS:
        return EvaluationError(None, _LIMITS[code])
    if code == "T0410":
        return EvaluationError(code, _signature(message, list(calls)))
    if code in _OF_AN_ARGUMENT and len(called := list(calls)) == 1:
        return EvaluationError(code, _OF_AN_ARGUMENT[code](message, called[0]))
    if (
        code == "T2010"
        and len(compared := [operator for operator in _COMPARISONS if operator in operators]) == 1
    ):
        return EvaluationError(code, _INCOMPARABLE.format(compared[0]))
    reworded = _REWORDED.get(code)
    return EvaluationError(code, reworded(message) if reworded else message)


def _signature(message: str, calls: list[str]) -> str:
    """Where the engine does not name the function, it is known if there is only one."""
    found = _FUNCTION.search(message)
    if found is not None and found.group(2).strip("$\"'") not in ("does", "undefined"):
        place, name = int(found.group(1)), found.group(2).strip("$\"'")
    elif len(calls) == 1:
        place, name = _place(message), calls[0]
    else:
        return message
    return f'Argument {place} of function "{name}" does not match function signature'


def _place(message: str) -> int:
    numbers = [int(digits) for digits in re.findall(r"\d+", message)]
    # "Argument 2 must be Number", or "Argument count mismatch: expected 1, got 0".
    return min(numbers) + 1 if "mismatch" in message and numbers else next(iter(numbers), 1)


def _context(message: str, name: str) -> str:
    """Only a first argument may be left to the context value, of which an expression of the service has none."""
    return f'Context value is not a compatible type with argument 1 of function "{name}"'


def _elements(message: str, name: str) -> str:
    found = _ARRAY_OF.search(message)
    if found is None:
        return message
    place, kind = found.groups()
    return f'Argument {place} of function "{name}" must be an array of "{kind.lower()}s"'


def _side(side: str) -> Callable[[str], str]:
    def reword(message: str) -> str:
        found = re.search(r"side of the \"?([^\s\"]+)\"? operator", message)
        operator = found.group(1) if found else "?"
        return f'The {side} side of the "{operator}" operator must evaluate to a number'

    return reword


def _constant(text: str) -> Callable[[str], str]:
    return lambda message: text


def _last(sentence: str) -> Callable[[str], str]:
    """A sentence about what the engine names last."""
    return lambda message: sentence.format(message.rpartition(" ")[2])


def _after_the_code(sentence: str) -> Callable[[str], str]:
    """A sentence about all that the engine says."""
    return sentence.format


def _number(message: str) -> str:
    found = _QUOTED.search(message)
    return f'Unable to cast value to a number: "{found.group(1)}"' if found else message


#: The engine's codes for limits that it keeps for us.
_LIMITS: Mapping[str, str] = {"D1011": DEPTH, "D1012": TIME, "D2015": MEMORY, "U1001": DEPTH}

#: Messages that name a function, which the engine does not.
_OF_AN_ARGUMENT: Mapping[str, Callable[[str, str], str]] = {"T0411": _context, "T0412": _elements}

_COMPARISONS = ("<", "<=", ">", ">=")
_INCOMPARABLE = 'The expressions either side of operator "{}" must evaluate to numeric or string values'

_REWORDED: Mapping[str, Callable[[str], str]] = {
    "D1001": _constant("Number out of range: null"),
    "D1002": lambda message: message.replace("non-number", "non-numeric"),
    "D2014": _constant("The size of the sequence allocated by the range operator (..) must not exceed 1e6."),
    "D3001": _constant("Attempting to invoke string function on Infinity or NaN"),
    "D3010": _constant("Second argument of replace function cannot be an empty string"),
    "D3020": _constant("Third argument of split function must evaluate to a positive number"),
    "D3030": _number,
    "D3080": _constant("The picture string must only contain a maximum of two sub-pictures"),
    "D3081": _constant(
        "The sub-picture must not contain more than one instance of the 'decimal-separator' character"
    ),
    "D3082": _constant("The sub-picture must not contain more than one instance of the 'percent' character"),
    "D3083": _constant(
        "The sub-picture must not contain more than one instance of the 'per-mille' character"
    ),
    "D3084": _constant("The sub-picture must not contain both a 'percent' and a 'per-mille' character"),
    "D3085": _constant(
        "The mantissa part of a sub-picture must contain at least one character that is either an 'optional "
        "digit character' or a member of the 'decimal digit family'"
    ),
    "D3086": _constant(
        "The sub-picture must not contain a passive character that is preceded by an active character and that is "
        "followed by another active character"
    ),
    "D3087": _constant(
        "The sub-picture must not contain a 'grouping-separator' character that appears adjacent to a "
        "'decimal-separator' character"
    ),
    "D3088": _constant(
        "The sub-picture must not contain a 'grouping-separator' at the end of the integer part"
    ),
    "D3089": _constant(
        "The sub-picture must not contain two adjacent instances of the 'grouping-separator' character"
    ),
    "D3090": _constant(
        "The integer part of the sub-picture must not contain a member of the 'decimal digit family' that is "
        "followed by an instance of the 'optional digit character'"
    ),
    "D3091": _constant(
        "The fractional part of the sub-picture must not contain an instance of the 'optional digit character' "
        "that is followed by a member of the 'decimal digit family'"
    ),
    "D3092": _constant(
        "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a character treated as "
        "an 'exponent-separator'"
    ),
    "D3093": _constant(
        "The exponent part of the sub-picture must comprise only of one or more characters that are members of the "
        "'decimal digit family'"
    ),
    "D3100": _last("The radix of the formatBase function must be between 2 and 36.  It was given {}"),
    "D3130": _after_the_code(
        'Formatting or parsing an integer as a sequence starting with "{}" is not supported by this implementation'
    ),
    "D3131": _constant("In a decimal digit pattern, all digits must be from the same decimal group"),
    "D3132": _last('Unknown component specifier "{}" in date/time picture string'),
    "D3133": _last(
        "The 'name' modifier can only be applied to months and days in the date/time picture string, not \"{}\""
    ),
    "D3134": _constant("The timezone integer format specifier cannot have more than four digits"),
    "D3135": _constant("No matching closing bracket ']' in date/time picture string"),
    "D3136": _constant("The date/time picture string is missing specifiers required to parse the timestamp"),
    "D3138": _constant(
        "The $single() function expected exactly 1 matching result.  Instead it matched more."
    ),
    "D3137": lambda message: message or "$error() function evaluated",
    "D3141": lambda message: message or "$assert() statement failed",
    "T1006": _constant("Attempted to invoke a non-function"),
    "T1010": lambda message: re.sub(r"function \$(\w+)", r'function "\1"', message),
    "T2001": _side("left"),
    "T2002": _side("right"),
    "T2003": _constant("The left side of the range operator (..) must evaluate to an integer"),
    "T2004": _constant("The right side of the range operator (..) must evaluate to an integer"),
}
