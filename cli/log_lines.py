"""What a server logs: one line for each thing that happens, with its facts."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

#: What a line says beside its message, where it is known, in this order.
_FACTS = ("request", "method", "path", "status", "seconds", "execution", "machine", "state", "error")


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in _FACTS if hasattr(record, name)}


class _Facts(logging.Formatter):
    """Time, level, message, and the facts as NAME=VALUE."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={json.dumps(value)}" for name, value in _facts(record).items())
        line = f"{_instant(record)} {record.levelname.lower()} {record.getMessage()}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Json(logging.Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        told = {"time": _instant(record), "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told | _facts(record))


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


#: The forms of a line, by the name that the command line gives them.
FORMS = {"text": _Facts, "json": _Json}
