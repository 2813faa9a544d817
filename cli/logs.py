"""What detent's loggers say, on the command line: one line on stderr, tracebacks on request."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from types import TracebackType


def debugging() -> bool:
    """Whether ``DETENT_DEBUG`` asks for tracebacks."""
    return os.environ.get("DETENT_DEBUG", "") not in ("", "0")


def set_up() -> None:
    """Let warnings and errors of detent appear on stderr."""
    logger = logging.getLogger("detent")
    if not any(isinstance(handler, _Stderr) for handler in logger.handlers):
        handler = _Stderr(logging.WARNING)
        handler.setFormatter(_OneLine())
        logger.addHandler(handler)
        logger.propagate = False


def log_everything(form: str) -> None:
    """Let all that a server does appear on stderr, too, as ``text`` or ``json``: one line each with its facts."""
    from .log_lines import FORMS

    logger = logging.getLogger("detent")
    for handler in logger.handlers:
        if isinstance(handler, _Stderr):
            handler.setLevel(logging.INFO)
            handler.setFormatter(FORMS[form]())
    logger.setLevel(logging.INFO)


class _Stderr(logging.Handler):
    """Writes to the stderr of the moment: the live view puts its own in place."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"detent: {record.levelname.lower()}: {record.getMessage()}"
        if not record.exc_info or record.exc_info[2] is None:
            return line
        if debugging():
            return f"{line}\n{self.formatException(record.exc_info)}"
        return f"{line} ({_place(record.exc_info[2])}; DETENT_DEBUG=1 shows the traceback)"


def _place(trace: TracebackType) -> str:
    innermost = traceback.extract_tb(trace)[-1]
    return f"{innermost.filename}:{innermost.lineno}"
