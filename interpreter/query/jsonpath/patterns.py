"""Regular expressions of ``=~``, matched in linear time.

The engine is RE2 (package ``google-re2``): a definition may come from a stranger and no pattern may hang
the process, which the standard library's engine cannot promise. Price: back-references and look-around,
which Java's patterns have, are refused when the path is parsed. RE2 is imported on the first ``=~``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from .syntax import Pattern

#: RE2 compiles to an automaton; this is the memory one pattern may take, in bytes.
MAX_PATTERN_MEMORY = 2**20

#: Java's flags and RE2's; the rest (u, U, d) only widen what RE2 does anyway.
_FLAGS = {"i": "i", "m": "m", "s": "s"}


@lru_cache(maxsize=32)
def compile_pattern(pattern: Pattern) -> Callable[[str], bool]:
    """Compile a pattern to a test of the whole text. Raises ValueError saying what is wrong with it."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PATTERN_MEMORY
    flags = "".join(_FLAGS[flag] for flag in dict.fromkeys(pattern.flags) if flag in _FLAGS)
    source = f"(?{flags}:{pattern.source})" if flags else pattern.source
    try:
        compiled = re2.compile(source, options)
    except (re2.error, UnicodeError) as error:
        raise ValueError(f"the pattern cannot be used: {_message(error)}") from None
    if "x" in pattern.flags:
        raise ValueError("the pattern flag 'x' is not supported")

    def matches_whole(text: str) -> bool:
        try:
            return compiled.fullmatch(text) is not None
        except UnicodeEncodeError:
            return False  # a lone surrogate is no character RE2 knows

    return matches_whole


def _message(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
