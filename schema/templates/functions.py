"""CloudFormation's functions, as far as they can be known before deployment.

``Ref``, ``Fn::GetAtt``, ``Fn::Sub`` and ``Fn::Join`` become text with placeholders: ``!GetAtt Worker.Arn`` is
``${Worker.Arn}``, which ``--var Worker.Arn=...`` fills in. The others stay as they are: values nobody knows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detent.core.values import JSON

from ..nodes import Node
from ..placeholders import fill


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that was put together: what it says, and the value it stands in.

    ``literal`` pieces are spelled there, letter for letter; others are made from it.
    """

    text: str
    node: Node
    literal: bool


def pieces(node: Node) -> list[Piece] | None:
    """The text that a value will be, in pieces; None for what is no text, or not known before deployment."""
    value = node.value
    if isinstance(value, str):
        return [Piece(value, node, literal=True)]
    if not isinstance(value, dict) or len(value) != 1 or node.children is None:
        return None
    (name, argument), *_ = node
    match name:
        case "Ref" if isinstance(argument.value, str):
            return [Piece(f"${{{argument.value}}}", argument, literal=False)]
        case "Fn::GetAtt" if path := _path(argument.value):
            return [Piece(f"${{{path}}}", argument, literal=False)]
        case "Fn::Sub":
            return _sub(argument)
        case "Fn::Join":
            return _join(argument)
    return None


def text_of(node: Node) -> str | None:
    """The same as one text."""
    found = pieces(node)
    return None if found is None else "".join(piece.text for piece in found)


def resolved(node: Node) -> Node:
    """A value with the functions in it that become text; what has none in it stays the node it is."""
    if node.children is None:
        return node
    if node.is_object and (text := text_of(node)) is not None:
        # A reference may stand for a value of any type, as a placeholder without quotes does.
        return Node(text, node.start, plain=True)
    parts = [(part, child, resolved(child)) for part, child in node]
    if all(child is new for _, child, new in parts):
        return node
    made = Node.object(node.start) if node.is_object else Node.array(node.start)
    for part, _, new in parts:
        if node.is_object:
            made.put(str(part), node.key_start(part), new)
        else:
            made.append(new)
    return made


def _path(value: JSON) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return ".".join(value)
    return None


def _sub(argument: Node) -> list[Piece] | None:
    """``Fn::Sub`` of a text, or of a text and what some of its names stand for."""
    in_list = isinstance(argument.value, list)
    template = argument.child(0) if in_list else argument
    names = argument.child(1) if in_list else None
    if template is None or not isinstance(template.value, str):
        return None
    known = _texts(names)
    if not any(f"${{{name}" in template.value for name in known):
        return [Piece(template.value, template, literal=True)]
    return [Piece(fill(template.value, known), template, literal=False)]


def _texts(names: Node | None) -> Mapping[str, str]:
    if names is None or not names.is_object:
        return {}
    found = ((str(name), text_of(value)) for name, value in names)
    return {name: text for name, text in found if text is not None}


def _join(argument: Node) -> list[Piece] | None:
    """``Fn::Join``: a separator and a list; an item nobody knows yet is a placeholder."""
    separator, items = argument.child(0), argument.child(1)
    if separator is None or items is None or not isinstance(separator.value, str):
        return None
    if not isinstance(items.value, list):
        return None
    joined: list[Piece] = []
    for number, item in items:
        if number and separator.value:
            joined.append(Piece(separator.value, separator, literal=False))
        if isinstance(item.value, (int, float)) and not isinstance(item.value, bool):
            joined.append(Piece(str(item.value), item, literal=False))
        else:
            joined += pieces(item) or [Piece("${Unknown}", item, literal=False)]
    return joined
