"""What goes wrong between a Map Run and its storage."""

from __future__ import annotations


class Unreadable(Exception):
    """Items cannot be read; the text is the cause that the workflow sees."""


class Unwritable(Exception):
    """Results cannot be written; the text is the cause that the workflow sees."""
