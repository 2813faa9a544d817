"""Error names in retriers, catchers and Fail states."""

from __future__ import annotations

import pytest

from .cases import Case, errors, one, task


def retry(*lists: list[str]) -> dict[str, object]:
    return task(Retry=[{"ErrorEquals": names} for names in lists])


CASES = [
    Case(
        code="states-all-not-alone",
        definition=retry(["Late", "States.ALL"]),
        pointer="/States/S/Retry/0/ErrorEquals",
        message="States.ALL stands beside other names in Retry[0] of state 'S' (Task)",
        hint="States.ALL covers them; leave them out or give them an entry of their own before it",
    ),
    Case(
        code="states-all-not-last",
        definition=retry(["States.ALL"], ["Late"]),
        pointer="/States/S/Retry/0/ErrorEquals",
        message="States.ALL is not in the last place, in Retry[0] of state 'S' (Task)",
        hint="what follows it could never be used; move it to the end",
        also=("never-used",),
    ),
    Case(
        code="never-used",
        definition=retry(["States.TaskFailed"], ["Late", "States.Timeout"], ["Late"]),
        pointer="/States/S/Retry/2",
        message="Retry[2] of state 'S' (Task) is never used: all its errors are handled before it",
        hint="remove it, or move it up",
        severity="warning",
    ),
    Case(
        code="never-used",
        definition=retry(["States.Runtime"]),
        pointer="/States/S/Retry/0/ErrorEquals/0",
        message="States.Runtime in Retry[0] of state 'S' (Task) has no effect: this error is never retried or caught",
        hint="check the data before the state that could fail so",
        severity="warning",
    ),
    Case(
        code="unknown-error-name",
        definition=retry(["States.Timeuot"]),
        pointer="/States/S/Retry/0/ErrorEquals/0",
        message="'States.Timeuot' in Retry[0] of state 'S' (Task) is no error of the language and will never match",
        hint="did you mean 'States.Timeout'?",
        severity="warning",
    ),
    Case(
        code="reserved-error-name",
        definition=one(Type="Fail", Error="States.OutOfStock"),
        pointer="/States/S/Error",
        message="State 'S' (Fail) raises 'States.OutOfStock', but names with 'States.' belong to the language",
        hint="use a name of your own",
        severity="warning",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found(case: Case) -> None:
    case.check()


def test_any_other_name_may_be_waited_for() -> None:
    assert errors(retry(["Late", "com.example.Oops"], ["States.Http.StatusCode.503"], ["States.ALL"])) == []
