"""One layout for every definition: fields in one order, two blanks a level, and not one value changed.

:func:`format_text` lays a text out again; :mod:`~detent.schema.format.convert` writes YAML as JSON and JSON as YAML.
It owns how a definition looks; what it means is not judged here,
and a text that the front door refuses is not touched.
"""

from .formatter import FormatError, format_text

__all__ = ["FormatError", "format_text"]
