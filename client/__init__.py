"""A client of a detent server: :class:`AsyncClient` for programs with an event loop, :class:`Client` for the others.

Both speak the REST API: typed answers, requests that are repeated where that is safe, errors of one type.
"""

from .asynchronous import AsyncClient
from .errors import ClientError
from .shapes import (
    Activity,
    Execution,
    ExecutionSummary,
    Judgement,
    Machine,
    MachineSummary,
    Task,
    Tried,
    Version,
)
from .synchronous import Client

__all__ = [
    "Activity",
    "AsyncClient",
    "Client",
    "ClientError",
    "Execution",
    "ExecutionSummary",
    "Judgement",
    "Machine",
    "MachineSummary",
    "Task",
    "Tried",
    "Version",
]
