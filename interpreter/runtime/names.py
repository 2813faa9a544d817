"""Names and ARNs of machines and executions (api, section 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Where executions and machines live where nobody says otherwise.
REGION = "us-east-1"
ACCOUNT = "123456789012"

#: The longest name of a machine or an execution, and what none may contain.
NAME_MAX = 80
NOT_IN_NAMES = re.compile(r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]+""")

_MACHINE = re.compile(
    r"^arn:(?P<partition>[^:]+):states:(?P<region>[^:]*):(?P<account>[^:]*):stateMachine:(?P<machine>[^:]+)"
    r"(:(?P<qualifier>[^:]+))?$"
)


@dataclass(frozen=True, slots=True)
class Names:
    """The ARNs of a machine and of its executions. ``qualifier`` is a version or an alias of the machine."""

    machine: str
    region: str = REGION
    account: str = ACCOUNT
    partition: str = "aws"
    qualifier: str | None = None

    @classmethod
    def of(cls, machine_arn: str) -> Names | None:
        """What a machine's ARN says; None for a text that is none."""
        match = _MACHINE.match(machine_arn)
        return None if match is None else cls(**match.groupdict())

    @property
    def machine_arn(self) -> str:
        """The ARN of the machine itself, without a qualifier."""
        return f"{self._prefix}:stateMachine:{self.machine}"

    @property
    def asked_arn(self) -> str:
        """The ARN of the machine, or of the version or alias that was named."""
        return self.machine_arn if self.qualifier is None else f"{self.machine_arn}:{self.qualifier}"

    @property
    def role_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{self.machine}"

    def execution_arn(self, name: str) -> str:
        return f"{self._prefix}:execution:{self.machine}:{name}"

    def express_arn(self, name: str, unique: str) -> str:
        """The ARN of an execution of type EXPRESS: many may have one name, ``unique`` (a UUID) tells them apart."""
        return f"{self._prefix}:express:{self.machine}:{name}:{unique}"

    @property
    def _prefix(self) -> str:
        return f"arn:{self.partition}:states:{self.region}:{self.account}"


def is_name(text: str) -> bool:
    """Whether a text may name a machine or an execution."""
    return 0 < len(text) <= NAME_MAX and NOT_IN_NAMES.search(text) is None
