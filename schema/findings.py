"""What the passes of the validator found, gathered before it has a place in a text."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

from detent.core.values import JSON

from .codes import CODES
from .diagnostics import Diagnostic, Edit, Fix, Pointer, Position, Related, Severity, in_reading_order

#: Values longer than this are shortened in messages; names of states may have 80 characters.
_SHOWN = 80

#: How many suggestions are looked for, among how many known words, for words of how many characters.
_SUGGESTIONS_MAX = 200
_KNOWN_MAX = 1_000
_COMPARED_MAX = 100


class _Found(NamedTuple):
    """A finding; whether it is about the key at its pointer and not about the value; what was meant there."""

    diagnostic: Diagnostic
    on_key: bool
    meant: str | None


@dataclass(slots=True)
class Findings:
    """A growing list; ``on_key`` says that a finding is about the key at its pointer and not about the value."""

    _found: list[_Found] = field(default_factory=list)
    _suggestions: int = 0

    def error(
        self,
        code: str,
        pointer: Pointer,
        message: str,
        *,
        hint: str | None = None,
        meant: str | None = None,
        on_key: bool = False,
        related: Iterable[tuple[Pointer, str]] = (),
    ) -> None:
        """Something the service, or detent, would refuse.

        ``meant`` is the key, or the text, that should probably stand at the place; ``related`` are other places,
        each with what is there.
        """
        assert code in CODES, code
        self.add(
            Severity.ERROR, code, pointer, message, hint=hint, meant=meant, on_key=on_key, related=related
        )

    def warning(
        self,
        code: str,
        pointer: Pointer,
        message: str,
        *,
        hint: str | None = None,
        meant: str | None = None,
        on_key: bool = False,
        related: Iterable[tuple[Pointer, str]] = (),
    ) -> None:
        """Something accepted that is hardly meant."""
        assert code in CODES, code
        self.add(
            Severity.WARNING, code, pointer, message, hint=hint, meant=meant, on_key=on_key, related=related
        )

    def add(
        self,
        severity: Severity,
        code: str,
        pointer: Pointer,
        message: str,
        *,
        hint: str | None = None,
        meant: str | None = None,
        on_key: bool = False,
        related: Iterable[tuple[Pointer, str]] = (),
        fix: Fix | None = None,
    ) -> None:
        """A finding of any severity."""
        others = tuple(Related(what, place) for place, what in related)
        hint = f"did you mean '{meant}'?" if meant is not None and hint is None else hint
        found = Diagnostic(code, severity, message, pointer, hint=hint, related=others, fix=fix)
        self._found.append(_Found(found, on_key, meant))

    def similar(self, word: str, known: Iterable[str]) -> str | None:
        """The known word that looks most like this one, if one does.

        Looking costs time with every known word; after so many mistakes another suggestion helps nobody.
        """
        if self._suggestions >= _SUGGESTIONS_MAX:
            return None
        self._suggestions += 1
        return closest(word, known)

    def diagnostics(
        self,
        position: Callable[[Pointer, bool], Position | None],
        source: str | None,
        reword: Callable[[Pointer, bool, str], Edit | None] | None = None,
    ) -> list[Diagnostic]:
        """All of them, with their places, in reading order. ``reword`` writes what was meant in its place."""
        return in_reading_order(
            replace(
                found,
                position=position(found.pointer, on_key),
                source=source,
                fix=found.fix or _fix(found.pointer, on_key, meant, reword),
                related=tuple(
                    replace(other, position=position(other.pointer, True)) for other in found.related
                ),
            )
            for found, on_key, meant in self._found
        )


def _fix(
    pointer: Pointer,
    on_key: bool,
    meant: str | None,
    reword: Callable[[Pointer, bool, str], Edit | None] | None,
) -> Fix | None:
    if meant is None or reword is None or (edit := reword(pointer, on_key, meant)) is None:
        return None
    return Fix(f"Write {meant}", (edit,), safe=False)


def closest(word: str, known: Iterable[str], *, likeness: float = 0.7) -> str | None:
    """The known word that looks most like this one, if one does; the same word has a likeness of 1."""
    if len(word) > _COMPARED_MAX:
        return None
    candidates = {name.casefold(): name for name in islice(known, _KNOWN_MAX)}
    close = difflib.get_close_matches(word.casefold(), candidates, n=1, cutoff=likeness)
    return candidates[close[0]] if close else None


def show(value: JSON) -> str:
    """A value as a message quotes it: its JSON text, shortened; strings in single quotes."""
    if isinstance(value, str):
        return f"'{shorten(value)}'"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    try:
        return shorten(json.dumps(value))
    except (TypeError, ValueError):  # no JSON, or an integer longer than Python writes out
        return "such a value"


def shorten(text: str, limit: int = _SHOWN) -> str:
    """The text, or its beginning where it is too long for a message."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def sentence(text: str) -> str:
    """The text with a capital letter in front."""
    return text[:1].upper() + text[1:]
