"""What the service adds to the answers of its optimised integrations (resources, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from ...core.values import JSON
from .base import TaskCall


def request_id(task: TaskCall) -> str:
    """The id of the request that the attempt makes: the same whenever it is run again."""
    return str(uuid5(NAMESPACE_URL, task.key))


def sdk_metadata(headers: Mapping[str, str], identity: str) -> dict[str, JSON]:
    """The blocks about the HTTP answer behind a result."""
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": dict(headers),
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": identity},
    }


def refused(service: str, code: str, message: str, identity: str, *, status: int = 400) -> str:
    """The cause of a request that the service refused, as its SDK words it."""
    return (
        f"{message} (Service: {service}; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {identity}; Proxy: null)"
    )
