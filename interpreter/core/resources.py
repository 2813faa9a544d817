"""Resource URIs of tasks: what their parts mean (resources, section 1). Text only: nothing is called here."""

from __future__ import annotations

import re

_INTEGRATION = re.compile(
    r"^arn:[^:]*:states:[^:]*:[^:]*:(?P<service>aws-sdk:[^:.]+|[^:.]+):(?P<action>[^:]+(?::2)?)$"
)


def integration(resource: str) -> tuple[str, str] | None:
    """Service and action of an integration ARN (``lambda``, ``invoke.waitForTaskToken``), None for another kind."""
    if ":activity:" in resource:
        return None
    match = _INTEGRATION.match(resource)
    return None if match is None else (match["service"], match["action"])


def producer(resource: str) -> str:
    """The name under which the service speaks of a task's result: the integration's service, or the ARN itself."""
    found = integration(resource)
    return resource if found is None else found[0]
