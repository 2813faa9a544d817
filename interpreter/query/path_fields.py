"""Fields whose value is read by a path and must be of one kind: seconds, instants, counts, items.

Each function makes a closure that reads the value, checks it, and says in the service's words what is
wrong with it (language, sections 2.4 and 2.7). ``$`` is the state's effective input throughout.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..core.bindings import Bindings, Evaluate
from ..core.errors import RUNTIME, StateFailure
from ..core.limits import SECONDS_MAX, WAIT_SECONDS_MAX
from ..core.values import JSON
from .jsonpath import Engine, Path, PathMiss, compact, compile_path, invalid_path
from .timestamps import parse_timestamp

_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

#: document, bindings, now in milliseconds -> the instant in milliseconds, and whether it is absolute.
Until = Callable[[JSON, Bindings, int], tuple[int, bool]]


def compile_input_path(text: str | None, engine: Engine) -> Evaluate | None:
    """InputPath or OutputPath; null stands for an empty object, ``$`` for no stage at all."""
    if text is None:
        return lambda document, bindings: {}
    if text == "$":
        return None
    return compile_path(text, on_missing=invalid_path, engine=engine)


def wait_seconds(seconds: int) -> Until:
    """A literal number of seconds."""
    return lambda document, bindings, now: (now + seconds * 1000, False)


def wait_timestamp(text: str) -> Until:
    """A literal instant, which the validator has found sound."""
    instant = milliseconds(parse_timestamp(text) or 0)
    return lambda document, bindings, now: (not_too_late(instant, now), True)


def wait_seconds_path(text: str, engine: Engine) -> Until:
    """SecondsPath: a whole number that is not negative."""
    read = compile_path(text, on_missing=_no_parameter("SecondsPath"), engine=engine)

    def until(document: JSON, bindings: Bindings, now: int) -> tuple[int, bool]:
        value = read(document, bindings)
        seconds = _whole(value)
        if seconds is None:
            raise StateFailure(
                RUNTIME,
                f"The SecondsPath parameter cannot be parsed as a long value: {text} == {_plain(value)}",
            )
        if seconds < 0:
            raise StateFailure(
                RUNTIME, f"The SecondsPath parameter references a negative value: {text} == {_plain(value)}"
            )
        return not_too_late(now + seconds * 1000, now), False

    return until


def wait_timestamp_path(text: str, engine: Engine) -> Until:
    """TimestampPath: a timestamp; one in the past waits for nothing."""
    read = compile_path(text, on_missing=_no_parameter("TimestampPath"), engine=engine)

    def until(document: JSON, bindings: Bindings, now: int) -> tuple[int, bool]:
        value = read(document, bindings)
        instant = parse_timestamp(value) if isinstance(value, str) else None
        if instant is None:
            raise StateFailure(
                RUNTIME,
                "The TimestampPath parameter does not reference a valid ISO-8601 extended offset "
                f"date-time format string: {text} == {_plain(value)}",
            )
        return not_too_late(milliseconds(instant), now), True

    return until


def task_seconds_path(field: str, text: str, engine: Engine) -> Evaluate:
    """TimeoutSecondsPath or HeartbeatSecondsPath: a whole number above 0."""
    read = integer_path(field, text, engine)

    def seconds(document: JSON, bindings: Bindings) -> JSON:
        value: int = read(document, bindings)
        if not 0 < value <= SECONDS_MAX:
            raise StateFailure(
                RUNTIME, f"The {field} parameter must be between 1 and {SECONDS_MAX}: {text} == {value}"
            )
        return value

    return seconds


def concurrency_path(text: str, engine: Engine) -> Evaluate:
    """MaxConcurrencyPath: a whole number that is not negative."""
    read = integer_path("MaxConcurrencyPath", text, engine)

    def concurrency(document: JSON, bindings: Bindings) -> JSON:
        value: int = read(document, bindings)
        if value < 0:
            raise StateFailure(RUNTIME, "MaxConcurrency cannot be negative.")
        return value

    return concurrency


def tolerated_count_path(text: str, engine: Engine) -> Evaluate:
    """ToleratedFailureCountPath: a whole number that is not negative."""
    read = integer_path("ToleratedFailureCountPath", text, engine)

    def count(document: JSON, bindings: Bindings) -> JSON:
        value: int = read(document, bindings)
        if value < 0:
            raise StateFailure(RUNTIME, "ToleratedFailureCount cannot be negative.")
        return value

    return count


def tolerated_percentage_path(text: str, engine: Engine) -> Evaluate:
    """ToleratedFailurePercentagePath: a number from 0 to 100, which may be spelled out in a string."""
    field = "ToleratedFailurePercentagePath"
    read = compile_path(text, on_missing=invalid_path, engine=engine)

    def percentage(document: JSON, bindings: Bindings) -> JSON:
        value = read(document, bindings)
        number = _number(value)
        if number is None:
            raise StateFailure(
                RUNTIME,
                f'The {field} field refers to value "{_plain(value)}" which is not a valid float: {text}',
            )
        if not 0 <= number <= 100:
            raise StateFailure(RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")
        return number

    return percentage


def positive_path(field: str, text: str, engine: Engine) -> Evaluate:
    """MaxItemsPerBatchPath or MaxInputBytesPerBatchPath: a whole number above 0."""
    read = integer_path(field, text, engine)

    def positive(document: JSON, bindings: Bindings) -> JSON:
        value: int = read(document, bindings)
        if value < 1:
            raise StateFailure(RUNTIME, f"{field.removesuffix('Path')} must be positive.")
        return value

    return positive


def integer_path(field: str, text: str, engine: Engine) -> Evaluate:
    """A whole number, which may be spelled out in a string."""
    read = compile_path(text, on_missing=invalid_path, engine=engine)

    def integer(document: JSON, bindings: Bindings) -> JSON:
        value = read(document, bindings)
        whole = _spelled(value) if isinstance(value, str) else _whole(value)
        if whole is None:
            raise StateFailure(
                RUNTIME,
                f'The {field} field refers to value "{_plain(value)}" which is not a valid integer: {text}',
            )
        return whole

    return integer


def items_path(text: str, engine: Engine) -> Evaluate:
    """ItemsPath: an array."""
    read = compile_path(text, on_missing=invalid_path, engine=engine)

    def items(document: JSON, bindings: Bindings) -> JSON:
        value = read(document, bindings)
        if not isinstance(value, list):
            # The service names a path into the context object with one `$` here.
            shown = text.removeprefix("$") if text.startswith("$$") else text
            raise StateFailure(RUNTIME, f'Reference path "{shown}" must point to array.')
        return value

    return items


def collection_path(text: str, engine: Engine) -> Evaluate:
    """ItemsPath of a distributed Map: an array or an object."""
    read = compile_path(text, on_missing=invalid_path, engine=engine)
    items = items_path(text, engine)

    def collection(document: JSON, bindings: Bindings) -> JSON:
        value = read(document, bindings)
        return value if isinstance(value, dict) else items(document, bindings)

    return collection


def role_named(evaluate: Evaluate, failed: Callable[[JSON], StateFailure]) -> Evaluate:
    """Credentials whose RoleArn is a text; ``failed`` says of what is there instead why it is none."""

    def credentials(document: JSON, bindings: Bindings) -> JSON:
        made: dict[str, JSON] = evaluate(document, bindings)
        if not isinstance(made.get("RoleArn"), str):
            raise failed(made.get("RoleArn"))
        return made

    return credentials


def path_credentials(evaluate: Evaluate) -> Evaluate:
    """Credentials made by a payload template."""
    return role_named(
        evaluate,
        lambda role: StateFailure(
            RUNTIME, f"The field 'RoleArn' of Credentials must be a string but was: {compact(role)}"
        ),
    )


def _no_parameter(field: str) -> Callable[[Path, JSON, PathMiss], JSON]:
    def missing(path: Path, document: JSON, miss: PathMiss) -> JSON:
        raise StateFailure(RUNTIME, f"The {field} parameter does not reference an input value: {path.text}")

    return missing


def _whole(value: JSON) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def _number(value: JSON) -> float | None:
    if isinstance(value, str):
        return float(value) if _DECIMAL.fullmatch(value) else None
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _spelled(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _plain(value: JSON) -> str:
    return value if isinstance(value, str) else compact(value)


def milliseconds(nanoseconds: int) -> int:
    """Rounded up: a timer never fires early."""
    return -(-nanoseconds // 1_000_000)


def not_too_late(instant: int, now: int) -> int:
    """The instant, unless no timer counts that far."""
    if instant - now > WAIT_SECONDS_MAX * 1000:
        raise StateFailure(RUNTIME, "Wait state delay is too long.")
    return instant
