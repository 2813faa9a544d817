"""What is asked of a Lambda function that runs elsewhere, and where that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Where the endpoint is named; the second one holds for every service.
VARIABLES = ("AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL")


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is asked of a function. ``body`` is the event as it is sent."""

    function: str
    body: bytes
    kind: str = "RequestResponse"
    qualifier: str | None = None
    log: str | None = None
    client_context: str | None = None


def endpoint_of(environment: Mapping[str, str]) -> str | None:
    """The URL of the endpoint, None if there is none."""
    return next((environment[name].rstrip("/") for name in VARIABLES if environment.get(name)), None)
