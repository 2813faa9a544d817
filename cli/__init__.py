"""The command line: what a person types and sees.

Commands turn arguments into calls of the runtime and show what comes back; they decide nothing about
workflows. Doing and drawing are apart: ``progress`` folds events into rows, ``plain`` and ``live`` draw
them. Modules here import what is heavy inside functions, so that ``detent --help`` starts at once.
"""

from __future__ import annotations


def main() -> None:
    """The entry point of ``detent``."""
    from .app import app

    app()
