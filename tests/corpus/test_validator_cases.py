"""The cases of eight other validators, and of the service itself: we say what they say, but for the table below."""

from __future__ import annotations

import pytest

from detent.schema.diagnostics import Severity
from detent.schema.document import DocumentError
from detent.schema.validate import validate

from .data import Stated, stated

UNREACHABLE = "the service refuses unreachable states, and so do AWS's own tools"
ROLE = "the service refuses Credentials without RoleArn (recorded)"
DUPLICATE = "the service wants names that are unique in the whole machine"
COMMAS = (
    "arguments of an intrinsic function without commas between them: the tool looks at the outer form only"
)

#: Where we knowingly differ: what we accept (or refuse) and the case says otherwise, with the reason.
DIFFERENCES = {
    # Refused here
    "asl-ls-072c15fe": DUPLICATE,
    "asl-ls-26ea9767": DUPLICATE,
    "asl-ls-41dbb7f8": COMMAS,
    "asl-ls-f7608ef7": COMMAS,
    "cfn-lint-203b7e01": "two transitions lead to a state that does not exist",
    "asl-validator-d4f03884": "a variable cannot be called 'top-level'",
    "asl-validator-f9b6948a": ROLE,
    "floe-b8027ff9": ROLE,
    "floe-219ee94c": ROLE,
    "statelint-a605bdff": ROLE,
    "taro-statelint-54bbc231": ROLE,
    "floe-ce586d10": UNREACHABLE,
    "floe-ba492907": UNREACHABLE,
    "floe-58cdf3f2": UNREACHABLE,
    "floe-b41624c3": UNREACHABLE,
    "floe-8c2c23af": UNREACHABLE,
    "floe-4b01fa11": UNREACHABLE,
    "taro-statelint-75917189": "a rule with And, Or and Not at once makes three tests",
    "taro-statelint-e15ea70d": "an ItemBatcher without any limit batches nothing; the service wants one",
    "taro-statelint-332f9ee5": "a bare name has nothing to be looked up in: the service refuses it",
    # Accepted here
    "asl-validator-de4a3579": "blanks and line breaks inside the delimiters are fine for the service",
    "asl-validator-2d994b64": "the delimiters need no blank inside",
    "asl-validator-e3a55816": "text that only ends in '%}' is plain text: a warning here",
    "floe-7d96ec1e": "MaxConcurrency 0 means no limit",
    "taro-statelint-aae5adad": "a plain name as Resource may be a handler of somebody's: a warning here",
    "taro-statelint-d8eb802d": "a whole number is a fine BackoffRate",
}


@pytest.mark.parametrize("case", [case for case in stated() if case.id not in DIFFERENCES], ids=str)
def test_we_say_what_they_say(case: Stated) -> None:
    assert (errors(case) == []) is case.valid, errors(case)


@pytest.mark.parametrize("case", [case for case in stated() if case.id in DIFFERENCES], ids=str)
def test_where_we_differ_we_still_do(case: Stated) -> None:
    assert (errors(case) == []) is not case.valid, errors(case)


def test_we_never_differ_from_the_service() -> None:
    assert [case.id for case in stated() if case.authority == "aws-recorded" and case.id in DIFFERENCES] == []


def errors(case: Stated) -> list[str]:
    try:
        found = validate(case.read(), machine_type="EXPRESS" if case.express else "STANDARD")
    except DocumentError as error:
        found = list(error.diagnostics)
    return [str(finding) for finding in found if finding.severity is Severity.ERROR]
