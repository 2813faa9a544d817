"""YAML text to values: the core schema of YAML 1.2, one document, keys are always text.

Reads the *events* of PyYAML and composes the values itself, without recursion and with the limits counted as
events arrive. PyYAML's own composer recurses in C, where 30 KB of ``[`` end the process; its parser underneath
keeps its stack on the heap and reads only about a kilobyte ahead, so it is asked for no event beyond a limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from .diagnostics import Pointer
from .frontdoor import Findings, TextLimits, too_deep
from .nodes import Node
from .scalars import NotFiniteError, NumberRangeError, Scalar, plain_scalar
from .yaml_sentences import sentence

try:
    from yaml._yaml import CParser as _FastParser
except ImportError:  # PyYAML was built without libyaml: the parser in Python takes its place
    _FastParser = None  # type: ignore[assignment,misc]  # a class that may be missing

_STANDARD = "tag:yaml.org,2002:"


class _PureParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's parser in Python, put together as its loaders do."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


_SHORT_TAG = re.compile(r"![A-Za-z]\w*")

#: What YAML takes as text; anything else, half a surrogate pair included, is refused with its place.
_NOT_PRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def read_nodes(
    text: str, findings: Findings, *, limits: TextLimits, pure: bool = False, functions: bool = False
) -> Node:
    """The value of an admitted YAML text with the place of everything in it.

    ``pure`` asks for the parser written in Python even where the faster one exists. With ``functions`` the short
    tags of CloudFormation are read as the functions they stand for: ``!Sub x`` as ``{"Fn::Sub": x}``. Raises
    DocumentError with every problem that was found.
    """
    if strange := _NOT_PRINTABLE.search(text):
        findings.stop(
            "encoding",
            f"the character U+{ord(strange.group()):04X} is not allowed in YAML",
            strange.start(),
            hint='write it as an escape in double quotes, as in "\\x07"',
        )
    root = _Composer(findings, limits, functions).compose(events(text, findings, pure=pure))
    findings.raise_if_any()
    return root


def events(text: str, findings: Findings, *, pure: bool = False) -> Iterator[Any]:
    """The events of PyYAML's parser for the text; what it cannot read becomes a finding of ours."""
    try:
        parser = _PureParser(text) if pure or _FastParser is None else _FastParser(text)
        while parser.check_event():
            yield parser.get_event()
    except yaml.error.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = None if mark is None else min(mark.index, len(text))
        message, hint = sentence(error.problem or "this is not YAML", error.context or "", text, offset)
        findings.stop("yaml-syntax", message, offset, hint=hint)
    except (yaml.error.YAMLError, ValueError, OverflowError):
        findings.stop("yaml-syntax", "this is not YAML: an escape or a directive has no meaning", None)


class _Anchor:
    """What an alias stands for, and what it costs as if it were written out."""

    __slots__ = ("characters", "height", "node", "nodes")

    def __init__(self, node: Node, nodes: int, characters: int, height: int) -> None:
        self.node = node
        self.nodes = nodes
        self.characters = characters
        self.height = height


class _Open:
    """A container whose end was not met yet."""

    __slots__ = (
        "anchor",
        "characters",
        "function",
        "height",
        "key",
        "key_start",
        "merge",
        "merge_start",
        "merged",
        "node",
        "nodes",
    )

    def __init__(self, node: Node, anchor: str | None, nodes: int, characters: int) -> None:
        self.node = node
        self.anchor = anchor
        #: The totals when it was opened.
        self.nodes = nodes
        self.characters = characters
        #: Levels of containers in it, itself included.
        self.height = 1
        #: The key whose value comes next; ``merge`` says that it is ``<<``.
        self.key: str | None = None
        self.key_start = 0
        self.merge = False
        #: What ``<<`` named, and where.
        self.merge_start = 0
        self.merged: list[Node] | None = None
        #: The function that is called with it.
        self.function: str | None = None

    @property
    def wants_key(self) -> bool:
        return self.key is None and self.node.is_object


class _Composer:
    """Builds nodes from events with a stack of open containers."""

    def __init__(self, findings: Findings, limits: TextLimits, functions: bool) -> None:
        self.findings = findings
        self.limits = limits
        self.functions = functions
        self.stack: list[_Open] = []
        self.root: Node | None = None
        #: None while the anchored container is open: an alias in itself has no finite value.
        self.anchors: dict[str, _Anchor | None] = {}
        self.aliases = self.nodes = self.characters = 0
        #: Open calls of functions: each is a level of its own.
        self.calls = 0

    def compose(self, events: Iterator[Any]) -> Node:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._on_scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                self._on_alias(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._on_start(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._on_end()
            elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
                self._refuse_document(event)
        if self.root is None:
            self.findings.stop("empty", "there is nothing in it but comments", None)
        return self.root

    def _on_scalar(self, event: Any) -> None:
        start = event.start_mark.index
        self._count(1, len(event.value), start)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.wants_key:
            self._check_tag(event, _SCALAR_TAGS)
            merge = event.value == "<<" and event.implicit[0]
            self._on_key(top, event.value, start, merge)
            node = Node(event.value, start)
        else:
            plain = event.tag is None and event.implicit[0]
            node = Node(self._scalar(event, plain), start, plain=plain)
            if function := self._function(event):
                node = _call(function, node)
            self._file(node, 0)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchor(node, 1, len(event.value), 0)

    def _on_key(self, top: _Open, key: str, start: int, merge: bool) -> None:
        if (merge and top.merged is not None) or (not merge and key in top.node.value):
            first = top.merge_start if merge else top.node.key_start(key)
            self.findings.add(
                "duplicate-key",
                f"the key {json.dumps(key, ensure_ascii=False)} stands here twice, "
                f"first on line {self.findings.lines.position(first).line}",
                start,
                (*self._pointer(), key),
                "write `<<: [*one, *two]`" if merge else "remove or rename one of them",
            )
        top.key, top.key_start, top.merge = key, start, merge

    def _on_alias(self, event: Any) -> None:
        start = event.start_mark.index
        self.aliases += 1
        if self.aliases > self.limits.max_aliases:
            self.findings.stop(
                "too-many-aliases", f"there are more than {self.limits.max_aliases} aliases", start
            )
        anchor = self.anchors.get(event.anchor)
        if anchor is None:
            within = event.anchor in self.anchors
            self.findings.add(
                "recursive-alias" if within else "unknown-alias",
                f"*{event.anchor} stands inside what it repeats"
                if within
                else f"there is no anchor &{event.anchor} before this",
                start,
                self._pointer(),
                None if within else "put text that begins with * in quotes",
            )
            anchor = _Anchor(Node(None, start), 1, 0, 0)
        self._count(anchor.nodes, anchor.characters, start)
        if len(self.stack) + anchor.height > self.limits.max_depth:
            self.findings.stop("too-deep", too_deep(self.limits), start)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.wants_key:
            if not isinstance(anchor.node.value, str):
                self._refuse_key(start)
            self._on_key(top, anchor.node.value, start, merge=False)
        else:
            self._file(anchor.node, anchor.height)

    def _on_start(self, event: Any) -> None:
        start = event.start_mark.index
        mapping = isinstance(event, yaml.MappingStartEvent)
        if len(self.stack) + self.calls >= self.limits.max_depth:
            self.findings.stop("too-deep", too_deep(self.limits), start)
        if self.stack and self.stack[-1].wants_key:
            self._refuse_key(start)
        function = self._function(event)
        self._check_tag(event, _MAPPING_TAGS if mapping else _SEQUENCE_TAGS)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node = Node.object(start) if mapping else Node.array(start)
        self.stack.append(_Open(node, event.anchor, self.nodes, self.characters))
        self.stack[-1].function = function
        self.calls += function is not None
        self._count(1, 0, start)

    def _on_end(self) -> None:
        closed = self.stack.pop()
        node = closed.node if closed.merged is None else _merge(closed.merged, closed.node)
        if closed.function is not None:
            node = _call(closed.function, node)
            self.calls -= 1
        if closed.anchor is not None:
            self.anchors[closed.anchor] = _Anchor(
                node, self.nodes - closed.nodes, self.characters - closed.characters, closed.height
            )
        self._file(node, closed.height)

    def _file(self, node: Node, height: int) -> None:
        """Put a finished value where it belongs; ``height`` is its levels of containers."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.height = max(top.height, height + 1)
        if top.key is None:
            top.node.append(node)
        elif top.merge:
            top.merge_start = top.key_start
            top.merged = (top.merged or []) + self._merged(node, top.key_start)
        else:
            top.node.put(top.key, top.key_start, node)
        top.key = None

    def _merged(self, node: Node, start: int) -> list[Node]:
        """The mappings that a merge key names."""
        sources = [node] if node.is_object else [item for _, item in node]
        if not isinstance(node.value, (dict, list)) or not all(source.is_object for source in sources):
            self.findings.add(
                "bad-merge",
                "<< takes a mapping, or a list of mappings",
                start,
                self._pointer(),
                "write `<<: *name`, or put the key in quotes if it is meant as text",
            )
            return []
        return sources

    def _scalar(self, event: Any, plain: bool) -> Scalar:
        text: str = event.value
        self._check_tag(event, _SCALAR_TAGS)
        wanted = _SCALAR_TAGS.get(event.tag)
        if not plain and wanted is None:
            return text
        start = event.start_mark.index
        try:
            value = plain_scalar(text)
        except NumberRangeError as error:
            self.findings.add("number-range", str(error), start, self._pointer(), "put it in quotes")
            return None
        except NotFiniteError as error:
            self.findings.add("not-a-number", str(error), start, self._pointer(), "put it in quotes")
            return None
        if wanted is float and type(value) is int:
            return float(value)
        if wanted is not None and type(value) is not wanted:
            tag = event.tag.replace(_STANDARD, "!!")
            self.findings.add("bad-tag", f"{text!r} is no {tag}", start, self._pointer(), "remove the tag")
        return value

    def _function(self, event: Any) -> str | None:
        """The function of CloudFormation that a short tag stands for."""
        if not self.functions or event.tag is None or not _SHORT_TAG.fullmatch(event.tag):
            return None
        name: str = event.tag[1:]
        return name if name in ("Ref", "Condition") else f"Fn::{name}"

    def _check_tag(self, event: Any, known: dict[str, type | None]) -> None:
        if event.tag is None or event.tag in known or self._function(event):
            return
        tag = event.tag.replace(_STANDARD, "!!")
        self.findings.add(
            "unknown-tag",
            f"the tag {tag} has no meaning in a state machine definition",
            event.start_mark.index,
            self._pointer(),
            "give what CloudFormation would fill in as a placeholder, ${Name}, and its value with --var",
        )

    def _count(self, nodes: int, characters: int, start: int) -> None:
        self.nodes += nodes
        self.characters += characters
        if self.nodes > self.limits.max_nodes:
            self.findings.stop(
                "too-many-values",
                f"there are more than {self.limits.max_nodes} values, aliases written out",
                start,
            )
        if self.characters > self.limits.max_expanded_bytes:
            self.findings.stop(
                "too-large",
                f"with its aliases written out the text is larger than {self.limits.max_expanded_bytes} bytes",
                start,
            )

    def _pointer(self) -> Pointer:
        """The place of the value being read, or of the mapping whose key is."""
        return tuple(
            len(entry.node.value) if entry.key is None else entry.key
            for entry in self.stack
            if not entry.wants_key
        )

    def _refuse_document(self, event: Any) -> NoReturn:
        self.findings.stop(
            "multiple-documents",
            "a second document begins here",
            event.start_mark.index,
            hint="one file holds one definition; remove the line ---",
        )

    def _refuse_key(self, start: int) -> NoReturn:
        self.findings.stop(
            "complex-key",
            "a key must be plain text",
            start,
            self._pointer(),
            "put it in quotes: a value in braces or brackets cannot be a key",
        )


def _call(function: str, argument: Node) -> Node:
    """An object with the function as its only key."""
    call = Node.object(argument.start)
    call.put(function, argument.start, argument)
    return call


def _merge(sources: list[Node], explicit: Node) -> Node:
    """A mapping with what it merges in: its own keys win, then those of the source named first."""
    whole = Node.object(explicit.start)
    for source in [explicit, *sources]:
        for key, child in source:
            if key not in whole.value:
                whole.put(str(key), source.key_start(key), child)
    return whole


#: Standard tags, and the type that the text must then have; None for text itself.
_SCALAR_TAGS: dict[str, type | None] = {
    "!": None,
    _STANDARD + "str": None,
    _STANDARD + "int": int,
    _STANDARD + "float": float,
    _STANDARD + "bool": bool,
    _STANDARD + "null": type(None),
}
_MAPPING_TAGS: dict[str, type | None] = {"!": None, _STANDARD + "map": None}
_SEQUENCE_TAGS: dict[str, type | None] = {"!": None, _STANDARD + "seq": None}
