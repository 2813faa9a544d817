"""Texts in which a bar marks the cursor."""

from __future__ import annotations

from detent.schema.editor.completion import Completion, complete
from detent.schema.editor.hover import hover
from detent.schema.editor.source import read_source

ORDER = """\
StartAt: Check
States:
  Check:
    Type: Pass
    Comment: Looks at the order.
    Result: {total: 12, lines: [{article: tea}]}
    ResultPath: $.check
    Assign: {rate: 0.5}
    Next: Large?
  Large?:
    Type: Choice
    Choices:
      - Variable: $.check.total
        NumericGreaterThan: 100
        Next: Hold
    Default: Charge
  Hold: {Type: Wait, Seconds: 5, Next: Charge}
  Charge:
    Type: Task
    Resource: task:charge
    Parameters:
      amount.$: $.check.total
      note.$: States.Format('{}', $.check.total)
    Retry:
      - ErrorEquals: [Busy]
        MaxAttempts: 2
    Catch:
      - ErrorEquals: [States.ALL]
        Next: Refuse
    End: true
  Refuse: {Type: Fail, Error: Refused}
"""


def cut(marked: str) -> tuple[str, int]:
    """The text without its bar, and where that was."""
    offset = marked.index("|")
    return marked[:offset] + marked[offset + 1 :], offset


def marked(text: str, before: str, *, inside: int = 0) -> str:
    """The text with a bar behind a piece of it, or so many characters into it."""
    at = text.index(before) + (inside or len(before))
    return text[:at] + "|" + text[at:]


def completions(text: str, **more: object) -> list[Completion]:
    plain, offset = cut(text)
    return complete(plain, offset, **more)  # type: ignore[arg-type]  # what a test passes on


def labels(text: str, **more: object) -> list[str]:
    return [each.label for each in completions(text, **more)]


def applied(text: str, label: str) -> str:
    """The text after a completion was chosen."""
    plain, offset = cut(text)
    chosen = next(each for each in complete(plain, offset) if each.label == label)
    return plain[: chosen.start] + chosen.text + plain[chosen.end :]


def hovered(text: str) -> str | None:
    plain, offset = cut(text)
    found = hover(read_source(plain), offset)
    return None if found is None else found.text
