"""Where findings stand: file, line and column of the key or the value that is meant."""

from __future__ import annotations

from detent.schema.document import read_document
from detent.schema.validate import validate

TEXT = """\
StartAt: Charge
States:
  Charge:
    Type: Task
    Resouce: task:charge
    Retry:
      - ErrorEquals: [Late]
        MaxAttempts: -1
    Next: Shipp
  Ship: {Type: Pass, Next: Ship, End: true}
"""


def test_all_findings_come_at_once_in_the_order_of_the_text() -> None:
    found = validate(read_document(TEXT, source="order.yaml"))
    assert [str(finding).partition(" (")[0] for finding in found] == [
        "order.yaml:3:3: error missing-field: State 'Charge'",
        "order.yaml:5:5: error unknown-field: Unknown field 'Resouce' in state 'Charge'",
        "order.yaml:8:22: error wrong-value: 'MaxAttempts' must be a whole number from 0 to 99999998, not -1, "
        "in Retry[0] of state 'Charge'",
        "order.yaml:9:11: error missing-target: Next of state 'Charge'",
        "order.yaml:10:34: error next-with-end: State 'Ship'",
    ]


def test_a_definition_is_judged_once_it_is_filled_in() -> None:
    text = '{"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": ${Delay}, "End": true}}}'
    document = read_document(text, source="pause.json")
    assert validate(document) == []
    assert validate(document.substitute({"Delay": "5"})) == []
    [finding] = validate(document.substitute({"Delay": "soon"}))
    assert (finding.code, str(finding).partition(": ")[0]) == ("wrong-value", "pause.json:1:70")
