"""Resource URIs of tasks: what their parts mean (resources, section 1). Text only: nothing is called here."""

from __future__ import annotations

import re
from functools import lru_cache

_INTEGRATION = re.compile(
    r"^arn:[^:]*:states:[^:]*:[^:]*:(?P<service>aws-sdk:[^:.]+|[^:.]+):(?P<action>[^:]+(?::2)?)$"
)
_ACTIVITY = re.compile(r"^arn:[^:]*:states:[^:]*:[^:]*:activity:[^:]+$")


#: Resources that are remembered are no longer than this, in characters.
REMEMBERED = 500


def integration(resource: str) -> tuple[str, str] | None:
    """Service and action of an integration ARN (``lambda``, ``invoke.waitForTaskToken``), None for another kind."""
    return _integration(resource) if len(resource) < REMEMBERED else _integration.__wrapped__(resource)


@lru_cache(maxsize=1024)
def _integration(resource: str) -> tuple[str, str] | None:
    if ":activity:" in resource:
        return None
    match = _INTEGRATION.match(resource)
    return None if match is None else (match["service"], match["action"])


def is_activity(resource: str) -> bool:
    """Whether a Resource is the ARN of an activity: its tasks are taken by workers."""
    return _ACTIVITY.match(resource) is not None


def signal_name(resource: str) -> str | None:
    """The name in ``signal:NAME``, a Resource that a named signal answers; None for another kind."""
    scheme, _, name = resource.partition(":")
    return name if scheme == "signal" else None


def starts_execution(resource: str) -> bool:
    """Whether a Resource starts an execution of another machine, whatever it then waits for."""
    found = integration(resource)
    return found is not None and found[0] == "states" and found[1].partition(".")[0] == "startExecution"


def producer(resource: str) -> str:
    """The name under which the service speaks of a task's result: the integration's service, or the ARN itself."""
    found = integration(resource)
    return resource if found is None else found[0]
