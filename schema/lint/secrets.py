"""Secrets: what looks like a password or a key has no place in a definition, which is stored and shown as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detent.core.values import JSON

from ..diagnostics import Pointer, Severity
from ..document import is_unknown
from ..findings import show
from .rule import Found, Subject, rule

#: Texts that are secrets whatever their key is called; no pattern can take long on a long text.
_FORMS = {
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a Slack webhook": re.compile(r"hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{20,}"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "a URL with a password": re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,100}@[\w.-]"),
}

_NAMES = re.compile(
    r"(?:^|[_.-]|(?<=[a-z]))(?:password|passwd|secret|secret_?access_?key|api_?key|private_?key|access_?token|auth_?token)$",
    re.IGNORECASE,
)

#: Texts that name a secret, or a place for one, and are none.
_NOT_SECRET = re.compile(
    r"(?:arn:|\$|\{%|\{\{|/|<|https?://)|(?:string|password|secret|changeme|example|none|null|true|false|x+|\*+)$",
    re.IGNORECASE,
)


@rule(
    "secret",
    Severity.WARNING,
    "Something that looks like a password, a key or a token stands in the definition.",
)
def secret(subject: Subject) -> Iterator[Found]:
    for pointer, key, text in _texts(subject.value):
        what = next((name for name, form in _FORMS.items() if form.search(text[:10_000])), None)
        if what is None and _NAMES.search(key) and _looks_secret(text):
            what = f"the value of {show(key)}"
        if what is not None:
            yield Found(
                pointer,
                f"This looks like a secret: {what}",
                "keep it in a secret store, and read it where it is used",
            )


def _looks_secret(text: str) -> bool:
    return 6 <= len(text) <= 500 and " " not in text and not is_unknown(text) and not _NOT_SECRET.match(text)


def _texts(value: JSON) -> Iterator[tuple[Pointer, str, str]]:
    """Every text with its place and the nearest key."""
    waiting: list[tuple[Pointer, str, JSON]] = [((), "", value)]
    while waiting:
        pointer, key, item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(((*pointer, name), str(name), inner) for name, inner in item.items())
        elif isinstance(item, list):
            waiting.extend(((*pointer, index), key, inner) for index, inner in enumerate(item))
        elif isinstance(item, str) and not key.endswith((".$", "Path")):
            yield pointer, key, item
