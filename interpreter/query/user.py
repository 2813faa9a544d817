"""Queries a person types, as for ``--query``: jsonpath-ng with its extensions.

The paths of a definition never come here. Results are always a list, in the order the library finds them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..core.values import JSON
from .cursor import ExpressionSyntaxError, PathSyntaxError
from .jsonpath.foreign import compile_find
from .jsonpath.run import PathMiss

#: A query is typed; a longer one is a mistake or an attack on the library's recursive parser.
MAX_QUERY_LENGTH = 2_000


class QueryError(ExpressionSyntaxError):
    """A query that cannot be parsed, or that fails on the document."""

    code = "QUERY"


def compile_query(text: str) -> Callable[[JSON], list[JSON]]:
    """Compile a query to a function from a document to all values it finds.

    Raises :class:`QueryError`, here for a query that cannot be parsed and in the function for one that
    cannot be evaluated.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise QueryError(f"a query may have {MAX_QUERY_LENGTH:,} characters, this one has {len(text):,}", 1)
    try:
        find = compile_find(text)
    except PathSyntaxError as error:
        raise QueryError(error.message, error.column) from None

    def query(document: JSON) -> list[JSON]:
        try:
            return find(document)
        except PathMiss as miss:
            raise QueryError(miss.detail, 1) from None

    return query
