"""What the YAML parser complains of, said about the text in front of the author."""

from __future__ import annotations

import re

_INDENTATION = (
    "keys of one mapping stand in one column; look at the indentation of this line and the one before"
)

#: A pattern over "problem | context", the sentence, and the hint. The first that matches speaks.
_SENTENCES: tuple[tuple[re.Pattern[str], str, str | None], ...] = tuple(
    (re.compile(pattern), message, hint)
    for pattern, message, hint in (
        (r"tab character|'\\t'", "a tab stands where YAML wants blanks", "indent with blanks"),
        (
            r"mapping values are not allowed",
            "a colon stands where no key can end",
            "put text that holds a colon and a blank in quotes, or look at the indentation",
        ),
        (
            r"(block )?sequence entries are not allowed",
            "a list cannot begin here",
            "begin the list on a line of its own, or put text that begins with a dash in quotes",
        ),
        (
            r"unexpected end of stream.*quoted",
            "the text ends inside quotes",
            "a closing quote is missing",
        ),
        (r"(',' or '\]')", "a list in brackets goes on or ends here", "a comma or a ] is missing"),
        (
            r"(',' or '\}')",
            "a mapping in braces goes on or ends here",
            "a comma or a } is missing; text that begins with { stands in quotes",
        ),
        (r"block collection", "this line does not belong to the list before it", _INDENTATION),
        (
            r"block mapping",
            "this does not belong to the mapping before it",
            _INDENTATION + "; text with quotes inside is quoted as a whole",
        ),
        (r"could not find expected ':'", "this line is no key and value", "write `key: value`"),
        (
            r"unknown escape|hexadecimal|hexdecimal|escape code",
            "this escape does not exist in double quotes",
            r"write \\ for a backslash, or use single quotes",
        ),
        (r"node content", "a value is expected here", "put text that begins with a bracket in quotes"),
        (
            r"undefined tag handle|scanning a tag|parsing a tag",
            "this is not a tag",
            "quote text that begins with !",
        ),
        (
            r"scanning an? (anchor|alias)",
            "this is no name of an anchor",
            "quote text that begins with & or *",
        ),
        (
            r"block scalar",
            "a block of text begins with | or > alone",
            "put the text on the lines below, further to the right",
        ),
        (
            r"expected '?<document start>",
            "something follows the end of the document",
            "one definition in one file; look for a bracket too many",
        ),
        (
            r"incompatible YAML|directive",
            "this directive is not understood",
            "remove the line that begins with %",
        ),
    )
)


def sentence(problem: str, context: str, text: str, offset: int | None) -> tuple[str, str | None]:
    """A message and a hint for a complaint of the YAML parser about the place ``offset``."""
    if "cannot start any token" in problem and offset is not None:
        return _bad_start(text, offset)
    complaint = f"{problem} | {context}"
    for pattern, message, hint in _SENTENCES:
        if pattern.search(complaint):
            return message, hint
    return f"this is not YAML: {problem}", None


def _bad_start(text: str, offset: int) -> tuple[str, str | None]:
    character = text[offset : offset + 1]
    if character == "\t":
        return "a tab stands where YAML wants blanks", "indent with blanks"
    if character == "%" and text[offset - 1 : offset] == "{":
        return "a JSONata expression stands without quotes", 'write "{% ... %}" in quotes'
    return f"a value cannot begin with {character!r}", "put it in quotes"
