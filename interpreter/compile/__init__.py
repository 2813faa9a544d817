"""Compile a definition to a Machine: the only place that knows the names of fields.

``graph`` knows scopes, states and what both query languages share; ``jsonpath`` and ``jsonata`` know the
fields of one language each.
"""

from .errors import CompileError
from .graph import compile_definition, compile_text, digest_of

__all__ = ["CompileError", "compile_definition", "compile_text", "digest_of"]
