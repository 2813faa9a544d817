"""jsonpath-ng as the engine of paths that are more than references (``--jsonpath jsonpath-ng``).

It speaks a dialect of its own (filters on objects test the members, slices have steps, ...), so a
definition should not depend on it; it is there for those who want its extensions. Parsing by our own
parser decides definiteness; results keep the order the library finds them in. Evaluation is not bounded:
the engine is for definitions one trusts. Its ``=~`` is refused, because one slow pattern would hang the
process for good.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.values import JSON
from ..cursor import PathSyntaxError
from .run import PathMiss, Run
from .syntax import Path, spelled


def compile_foreign(path: Path) -> Callable[[JSON, Run], JSON]:
    """Compile a parsed path for jsonpath-ng. Raises PathSyntaxError for what the library cannot parse."""
    head = len(path.text) - len(path.text.lstrip("$"))
    names = path.root if path.variable is not None else ""
    find = compile_find("$" + path.text[head + len(names) :])
    definite = path.definite

    def select(value: JSON, run: Run) -> JSON:
        values = find(value)
        if not definite:
            return values
        if not values:
            raise PathMiss(f"No results for path: {spelled(path.steps)}")
        return values[0]

    return select


def compile_find(text: str) -> Callable[[JSON], list[JSON]]:
    """All values a jsonpath-ng expression (its extended parser) finds, in its order.

    Raises PathSyntaxError for a bad expression; the function raises PathMiss when the library fails.
    """
    if "=~" in text:
        raise PathSyntaxError(
            "jsonpath-ng's '=~' is not supported: a slow pattern would hang", text.index("=~") + 1
        )
    expression = _parse(text)

    def find(value: JSON) -> list[JSON]:
        try:
            return [match.value for match in expression.find(value)]
        except RecursionError:
            raise PathMiss("The document is nested too deeply for jsonpath-ng", "unfit") from None
        except Exception as error:  # the library raises whatever its arithmetic and its sorting raise
            raise PathMiss(f"jsonpath-ng cannot evaluate the path: {error}", "unfit") from None

    return find


def _parse(text: str) -> Any:
    from jsonpath_ng.ext.parser import parse

    try:
        return parse(text)
    except RecursionError:
        raise PathSyntaxError("the path is nested too deeply for jsonpath-ng", 1) from None
    except Exception as error:  # lexer, parser and plain assertions have no common base but this
        raise PathSyntaxError(
            f"jsonpath-ng cannot parse the path: {str(error) or type(error).__name__}", 1
        ) from None
