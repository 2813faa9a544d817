"""How a server is set up, and the bounds of what it takes from a stranger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from detent.runtime.keeping import KEEP_ALL, Retention
from detent.runtime.names import ACCOUNT, REGION

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8083


@dataclass(frozen=True, slots=True)
class Settings:
    """``host_names`` are names, beside addresses and localhost, under which clients may call the server.

    ``requests_per_second`` is what one client may ask; None: as much as it likes on loopback without keys, 1000
    elsewhere. ``unsafe_no_auth`` lets a server without keys listen where others reach it.
    ``access_keys`` are the secrets, by access key, with which requests of AWS SDKs are signed; with any, all must be.
    ``state_logs`` is where the logs of state machines go: a directory, ``-`` for stdout, None for nowhere.
    ``retention`` is what is kept of executions that have ended. ``file_roots`` are the folders that Maps may read from
    and write to. ``mock`` is the path of a mock configuration, whose test cases executions can be started with.
    ``drain_seconds`` is how long requests and tasks under way may go on once the server is told to end.
    """

    store: str = "memory:"
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    region: str = REGION
    account: str = ACCOUNT
    host_names: frozenset[str] = frozenset()
    unsafe_no_auth: bool = False
    requests_per_second: float | None = None
    access_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    mock: str | None = None
    retention: Retention = KEEP_ALL
    file_roots: tuple[Path, ...] = ()
    state_logs: str | None = None
    drain_seconds: float = 10.0
    #: Bytes of a request's body: the largest input of the profile ``detent``, spelled as a JSON text in JSON.
    body_bytes_max: int = 4 * 1024 * 1024
    #: Seconds until the head of a request must be here, counted from its first byte or the connection's begin.
    head_seconds: float = 10.0
    #: Seconds until the body must be here, counted from the end of the head.
    body_seconds: float = 30.0
    #: Seconds that a connection may be idle between two requests.
    idle_seconds: float = 75.0
    #: Open connections; who comes beyond that is turned away at once.
    connections_max: int = 10_000

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
