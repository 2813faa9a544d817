"""How the specifications of the validator are written: a small bad definition, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from detent.schema.diagnostics import Diagnostic
from detent.schema.validate import MachineType, validate_value

PASS_END = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "task:work", "End": True}


@dataclass(frozen=True)
class Case:
    """One finding: its code, its JSON pointer, its sentence, its hint; and what it is about."""

    code: str
    pointer: str
    message: str
    hint: str | None = None
    definition: Any = None
    severity: str = "error"
    machine_type: MachineType = "STANDARD"
    #: Codes of other findings that come with it.
    also: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.code}: {self.message[:60]}"

    def check(self) -> None:
        found = validate_value(self.definition, machine_type=self.machine_type)
        mine = [
            finding for finding in found if finding.code == self.code and finding.json_pointer == self.pointer
        ]
        assert [said(finding) for finding in mine] == [(self.severity, self.message, self.hint)], listed(
            found
        )
        assert sorted(finding.code for finding in found if finding not in mine) == sorted(self.also), listed(
            found
        )


def said(finding: Diagnostic) -> tuple[str, str, str | None]:
    return (str(finding.severity), finding.message, finding.hint)


def listed(found: list[Diagnostic]) -> str:
    return "\n".join(f"{finding.json_pointer}: {finding}" for finding in found)


def machine(**states: Any) -> dict[str, Any]:
    """A machine of these states, starting at the first."""
    return {"StartAt": next(iter(states)), "States": states}


def one(**fields: Any) -> dict[str, Any]:
    """A machine with one state, S, that ends it unless it says otherwise."""
    ending = (
        {}
        if {"Next", "End"} & fields.keys() or fields.get("Type") in ("Choice", "Succeed", "Success", "Fail")
        else {"End": True}
    )
    return machine(S={**fields, **ending})


def task(**fields: Any) -> dict[str, Any]:
    return one(Type="Task", Resource="task:work", **fields)


def choice(*rules: Any, **fields: Any) -> dict[str, Any]:
    """A Choice state, C, whose rules lead to D."""
    return machine(
        C={"Type": "Choice", "Choices": [{"Next": "D", **rule} for rule in rules], **fields}, D=PASS_END
    )


def errors(definition: Any, machine_type: MachineType = "STANDARD") -> list[str]:
    """The codes of the errors."""
    found = validate_value(definition, machine_type=machine_type)
    return [finding.code for finding in found if finding.severity == "error"]
