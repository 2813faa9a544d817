"""What formatting does to YAML, read as examples: before, and after."""

from __future__ import annotations

import pytest

from detent.schema.document import DocumentError
from detent.schema.format import format_text

MACHINE = """\
# yaml-language-server: $schema=asl.schema.json

States:
    # the first
    Charge:
        End: true   # no more
        # who does it
        Resource:   task:charge
        Retry: # why not
        - MaxAttempts: 3
          ErrorEquals: [ Busy ,"Slow" ]


        -   ErrorEquals:
            - States.ALL
            # end of names
        # end of retriers
        Type: Task


    Done: {End: true, Type: Pass}
    # end of states
StartAt: Charge
# end of file
"""

FORMATTED = """\
# yaml-language-server: $schema=asl.schema.json

StartAt: Charge
States:
  # the first
  Charge:
    # end of retriers
    Type: Task
    # who does it
    Resource: task:charge
    Retry:  # why not
      - ErrorEquals: [Busy, "Slow"]
        MaxAttempts: 3

      - ErrorEquals:
          - States.ALL
          # end of names
    End: true  # no more

  Done: {Type: Pass, End: true}
  # end of states
# end of file
"""


def of(text: str) -> str:
    return format_text(text, source="machine.yaml")


def body(text: str) -> str:
    """The lines below Parameters of a state, laid out."""
    machine = f"StartAt: A\nStates:\n  A:\n    Type: Pass\n    Parameters:\n{text}    End: true\n"
    laid_out = of(machine)
    assert of(laid_out) == laid_out
    return laid_out.partition("    Parameters:\n")[2].rpartition("    End: true\n")[0]


def test_fields_in_order_and_comments_with_their_owner() -> None:
    assert of(MACHINE) == FORMATTED


def test_twice_is_once() -> None:
    assert of(FORMATTED) == FORMATTED


@pytest.mark.parametrize(
    "scalar",
    [
        "017",
        "0o17",
        "0x1F",
        "1.0",
        "1e3",
        "~",
        "'it''s'",
        '"a # b"',
        "on",
        "2024-01-01",
        "!!str 5",
        "${Hole}",
    ],
)
def test_scalars_stay_as_their_author_spelled_them(scalar: str) -> None:
    assert body(f"      x:   {scalar}\n") == f"      x: {scalar}\n"


def test_literal_text_moves_as_a_block() -> None:
    assert body("         x: |\n                one\n                  two\n\n                three\n") == (
        "      x: |\n        one\n          two\n\n        three\n"
    )


def test_literal_text_that_begins_with_blanks_keeps_them() -> None:
    assert (
        body("      x: |1-\n           two\n        one\n") == "      x: |2-\n            two\n         one\n"
    )


def test_text_over_several_lines_stays_so() -> None:
    assert (
        body("      x: one\n       two\n      y: 'a\n\n        b'\n")
        == "      x: one\n        two\n      y: 'a\n\n        b'\n"
    )


def test_anchors_and_aliases_stay_and_are_never_torn_apart() -> None:
    text = "StartAt: A\nStates:\n  A:\n    End: &yes true\n    Comment: first\n    Type: Pass\n    Assign: {a: *yes}\n"
    assert of(text) == text


def test_brackets_with_comments_become_lines() -> None:
    assert (
        body("      x: {a: 1, # one\n          b: [1,2]}\n")
        == "      x:\n        a: 1  # one\n        b: [1, 2]\n"
    )


def test_brackets_that_are_too_long_become_lines() -> None:
    long = ["a" * 30] * 4
    laid_out = body(f"      x: [{','.join(long)}]\n")
    assert laid_out.splitlines() == ["      x:", *(f"        - {item}" for item in long)]


def test_data_is_never_reordered() -> None:
    assert body("      Next: 1\n      Type: 2\n") == "      Next: 1\n      Type: 2\n"


def test_line_ends_are_those_of_the_first_line() -> None:
    text = MACHINE.replace("\n", "\r\n")
    assert of(text) == FORMATTED.replace("\n", "\r\n")


def test_what_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(DocumentError, match=r"machine\.yaml:2:1: error duplicate-key"):
        of("StartAt: A\nStartAt: B\n")
