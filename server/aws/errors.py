"""Errors as the service has them: a code and a sentence (api, section 4)."""

from __future__ import annotations

from detent.compile import CompileError
from detent.core.values import JSON
from detent.runtime.helpers import Ended

from ..refusals import Refused


class ServiceError(Refused):
    """An operation is refused. ``more`` are members that the error has beside its message."""

    def __init__(self, code: str, message: str, *, more: dict[str, JSON] | None = None) -> None:
        super().__init__(400, code, message, more=more)


def validation(message: str, reason: str | None = None) -> ServiceError:
    """Arguments are of the right shape, and wrong."""
    return ServiceError("ValidationException", message, more={} if reason is None else {"reason": reason})


def invalid_arn(why: str) -> ServiceError:
    return ServiceError("InvalidArn", f"Invalid Arn: '{why}'")


def invalid_name(name: str) -> ServiceError:
    return ServiceError("InvalidName", f"Invalid Name: '{name}'")


def invalid_token() -> ServiceError:
    return ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")


def no_machine(arn: str) -> ServiceError:
    return ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def machine_deleting(arn: str) -> ServiceError:
    return ServiceError("StateMachineDeleting", f"State Machine Deleting: '{arn}'")


def no_execution(arn: str) -> ServiceError:
    return ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def no_activity(arn: str) -> ServiceError:
    return ServiceError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")


def no_resource(arn: str) -> ServiceError:
    return ServiceError("ResourceNotFound", f"Resource not found: '{arn}'", more={"resourceName": arn})


def uncompiled(error: CompileError) -> ServiceError:
    """A definition that is sound, and has placeholders or what this release cannot run."""
    return ServiceError(
        "InvalidDefinition", f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {error}'"
    )


def unjudged(ended: Ended) -> ServiceError:
    """A definition whose judging was ended."""
    return ServiceError(
        "InvalidDefinition",
        f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: it cannot be judged: {ended}'",
    )


def unsupported_type() -> ServiceError:
    return ServiceError(
        "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
    )
