"""A limit on everything: its name, the service's value, ours, and the reason.

An execution is pinned to a profile when it starts. ``aws`` is the service's, ``detent`` the default of
what runs on one's own machine; each has variants for executions of type EXPRESS. None means no limit.
Sizes are bytes of compact JSON in UTF-8, times are milliseconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

#: The types of state machines, and so of executions.
ExecutionType = Literal["STANDARD", "EXPRESS"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that the core enforces while an execution runs (limits, sections 1, 3 and 4)."""

    profile: str
    #: Input or output of a state, result of a task. Beyond it: States.DataLimitExceeded.
    payload_bytes: int
    #: One variable, and all variables that one state assigns. Beyond it: States.Runtime.
    variable_bytes: int
    #: All variables of an execution together. Beyond it: States.Runtime.
    all_variables_bytes: int
    #: History events of one execution; the last one says that it failed.
    history_events: int | None
    #: Iterations of an inline Map that are open at once, whatever MaxConcurrency says.
    map_concurrency: int
    #: Items of an inline Map. One execution holds their results in memory and in one log.
    map_items: int
    #: Children of one Map Run that run at once, whatever MaxConcurrency says.
    map_run_concurrency: int
    #: How long an execution may be open in all, in seconds, whatever the machine says. Beyond it: TIMED_OUT.
    execution_seconds: int | None = None
    #: How long after its end an execution can be redriven, in days.
    redrive_days: int | None = None
    #: Type of the executions: EXPRESS ones are not written while they run, and begin anew after a crash.
    type: ExecutionType = "STANDARD"
    #: Whether somebody waits for an EXPRESS execution, which is then written nowhere, and never redriven.
    synchronous: bool = False
    #: Whether States.ALL covers States.DataLimitExceeded: it did on the service in two recordings.
    all_covers_data_limit: bool = True
    #: Whether an activity's task that no worker takes runs out of time, counted from when it was offered.
    activity_times_out_untaken: bool = True
    #: States entered before an execution yields to others: bounds a transaction and a turn's time.
    steps_per_turn: int = 500
    #: Bytes of values that states make before an execution yields to others: they take time to write, however few.
    bytes_per_turn: int = 524_288


AWS = Limits(
    profile="aws",
    payload_bytes=262_144,
    variable_bytes=262_144,
    all_variables_bytes=10_485_760,
    history_events=25_000,
    map_concurrency=40,
    map_items=25_000,
    map_run_concurrency=10_000,
    execution_seconds=31_536_000,
    redrive_days=14,
)

DETENT = Limits(
    profile="detent",
    payload_bytes=1_048_576,
    variable_bytes=1_048_576,
    all_variables_bytes=41_943_040,
    history_events=None,
    map_concurrency=1_000,
    map_items=100_000,
    map_run_concurrency=1_000,
)

#: How long an execution of type EXPRESS may be open.
EXPRESS_SECONDS_MAX = 300


def _express(limits: Limits, kind: str, *, synchronous: bool) -> Limits:
    return replace(
        limits,
        profile=f"{limits.profile}-{kind}",
        type="EXPRESS",
        synchronous=synchronous,
        history_events=None,
        execution_seconds=EXPRESS_SECONDS_MAX,
    )


_VARIANTS: Mapping[tuple[str, ExecutionType, bool], Limits] = {
    (limits.profile, variant.type, variant.synchronous): variant
    for limits in (AWS, DETENT)
    for variant in (
        limits,
        _express(limits, "express", synchronous=False),
        _express(limits, "sync-express", synchronous=True),
    )
}

PROFILES: Mapping[str, Limits] = MappingProxyType({limits.profile: limits for limits in _VARIANTS.values()})


def profile_for(profile: str, type: ExecutionType, *, synchronous: bool = False) -> str:
    """The name of the profile of an execution of a type: the variant of ``profile``, itself any variant."""
    family = profile.partition("-")[0]
    return _VARIANTS[family, type, synchronous].profile


#: A Wait longer than this is refused (a signed 32-bit count of seconds, as the service seems to keep it).
WAIT_SECONDS_MAX = 2**31 - 1
#: Seconds in TimeoutSeconds, HeartbeatSeconds, IntervalSeconds and a literal Seconds (language, sections 2 and 6).
SECONDS_MAX = 99_999_999
#: How long the token of a redrive is remembered (api, section 8).
REDRIVE_TOKEN_SECONDS_MAX = 15 * 60
#: How often one Map Run can be redriven.
REDRIVES_OF_RUN_MAX = 1000
#: How many tokens of redrives an execution remembers.
REDRIVE_TOKENS_MAX = 10
#: An execution's Error is cut to these many characters.
ERROR_CHARACTERS_MAX = 256
#: An execution's Cause is cut to these many characters.
CAUSE_CHARACTERS_MAX = 32_768
#: Named signals that an execution keeps for states to come. Each is held in memory, with its value.
KEPT_SIGNALS_MAX = 1_000
