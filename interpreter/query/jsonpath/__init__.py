"""JSONPath as the service speaks it: the dialect of Jayway JsonPath, parsed once, compiled to closures.

``parse_path`` and ``parse_reference_path`` make a tree, ``compile_path`` makes a function of it. Reference
paths, nearly all of them, become a bare walk over keys; everything else a pipeline of stages. The package
knows nothing of states; what a miss means is the caller's to say (``OnMissing``).
"""

from ..cursor import PathSyntaxError
from .compile import (
    Engine,
    OnMissing,
    compact,
    compile_path,
    invalid_condition,
    invalid_path,
    not_in_input,
    not_in_template,
    variables_in_path,
)
from .parser import parse_path, parse_reference_path
from .run import PathMiss
from .syntax import Path

__all__ = [
    "Engine",
    "OnMissing",
    "Path",
    "PathMiss",
    "PathSyntaxError",
    "compact",
    "compile_path",
    "invalid_condition",
    "invalid_path",
    "not_in_input",
    "not_in_template",
    "parse_path",
    "parse_reference_path",
    "variables_in_path",
]
