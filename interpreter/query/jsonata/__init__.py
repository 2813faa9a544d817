"""JSONata as the service speaks it: expressions between ``{%`` and ``%}`` in any field that takes them.

The rest of detent imports from here. ``engine`` is the adapter over the library, ``parser`` and
``references`` judge an expression before it runs, ``functions`` holds what the service adds.
"""

from .expression import (
    CATCH,
    ENTRY,
    EXIT,
    JSONataError,
    Stage,
    calls,
    compile_expression,
    expression_problems,
    inside,
    is_expression,
)
from .fields import (
    compile_collection,
    compile_credentials,
    compile_integer,
    compile_items,
    compile_percentage,
    compile_typed,
    compile_until,
)
from .flow import ExpressionCatchFlow, ExpressionFlow
from .template import compile_template, expressions_in

__all__ = [
    "CATCH",
    "ENTRY",
    "EXIT",
    "ExpressionCatchFlow",
    "ExpressionFlow",
    "JSONataError",
    "Stage",
    "calls",
    "compile_collection",
    "compile_credentials",
    "compile_expression",
    "compile_integer",
    "compile_items",
    "compile_percentage",
    "compile_template",
    "compile_typed",
    "compile_until",
    "expression_problems",
    "expressions_in",
    "inside",
    "is_expression",
]
