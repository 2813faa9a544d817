"""ARNs as operations are given them: any partition, region and account (api, section 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detent.runtime.names import NAME_MAX, is_name

from .errors import ServiceError, invalid_arn, invalid_name

_ARN = re.compile(
    r"(?P<prefix>arn:[^:\s]+:states:[^:\s]*:[^:\s]*):(?P<kind>[A-Za-z]+):(?P<rest>.+)", re.DOTALL
)

#: Halves of surrogate pairs: JSON can spell them, and nothing has a name with one.
_HALVES = re.compile("[\ud800-\udfff]")

#: Parts behind the kind of resource: the fewest and the most.
_PARTS = {
    "stateMachine": (1, 2),
    "execution": (2, 2),
    "express": (2, 3),
    "activity": (1, 1),
    "mapRun": (2, 2),
}


@dataclass(frozen=True, slots=True)
class Arn:
    """``prefix`` ends with the account, ``parts`` are what follows the kind."""

    text: str
    prefix: str
    kind: str
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the machine or the activity, with the label of a Map if there is one."""
        return self.parts[0]

    @property
    def machine(self) -> str:
        """The ARN of the machine that this is of: without version, alias and label."""
        return f"{self.prefix}:stateMachine:{self.name.partition('/')[0]}"

    @property
    def qualifier(self) -> str | None:
        """The version or the alias of a machine's ARN."""
        return self.parts[1] if len(self.parts) > 1 else None

    @property
    def version(self) -> int | None:
        """The number, where the qualifier is a version."""
        text = self.qualifier or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def read(text: str, *kinds: str) -> Arn:
    """An ARN of one of these kinds of resource. Raises ServiceError InvalidArn."""
    if not re.match(r"arn:[^:]+:states:", text):
        raise invalid_arn(f"Invalid ARN prefix: {text}")
    found = _ARN.fullmatch(text)
    if found is None or found["kind"] not in _PARTS or _HALVES.search(text):
        raise invalid_arn(f"Invalid ARN: {text}")
    kind, parts = found["kind"], tuple(found["rest"].split(":"))
    least, most = _PARTS[kind]
    if not (least <= len(parts) <= most and all(parts)):
        raise invalid_arn(f"Invalid ARN: {text}")
    if kind not in kinds:
        raise wrong_kind(kind)
    return Arn(text, found["prefix"], kind, parts)


def wrong_kind(kind: str) -> ServiceError:
    """The refusal of an ARN of a kind that the operation does not take."""
    return invalid_arn(f"Resource type not valid in this context: {kind}")


def machine(text: str) -> Arn:
    """The ARN of a machine, or of a version or an alias of one. Raises ServiceError."""
    return read(text, "stateMachine")


def execution(text: str) -> Arn:
    """The ARN of an execution that is kept. Raises ServiceError."""
    return read(text, "execution")


def is_role(text: str) -> bool:
    """Whether a text is an ARN of IAM."""
    return re.fullmatch(r"arn:[^:\s]+:iam::[^:\s]*:role/\S+", text) is not None


def check_role(text: str) -> None:
    """Raises ServiceError for what is no role."""
    if not text.startswith("arn:"):
        raise invalid_arn(f"Invalid ARN prefix: {text}")
    if not is_role(text):
        raise invalid_arn(f"Invalid Role Arn: '{text}'")


_FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff\U0010ffff]")


def check_name(name: str) -> None:
    """Raises ServiceError for what may not name a machine, an execution or an activity (api, section 2)."""
    if len(name) > NAME_MAX or not is_name(name) or _FORBIDDEN.search(name):
        raise invalid_name(name)
