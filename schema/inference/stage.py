"""One stage of a state: expressions over the document and the variables that stand there.

A stage answers the shapes of paths, intrinsic functions and payload templates, and notes what it reads. It
knows JSONPath's expressions and JSONata's references, and nothing of states.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from detent.core.values import JSON
from detent.query.cursor import ExpressionSyntaxError
from detent.query.intrinsic_syntax import Call, parse_intrinsic
from detent.query.intrinsics import is_intrinsic
from detent.query.jsonpath import Path, parse_path, variables_in_path
from detent.query.jsonpath.syntax import Step

from ..diagnostics import Pointer
from ..document import is_unknown
from ..outline import Part, State
from .context import context_shape
from .functions import SIGNATURES
from .notes import Argument, Env, Notes, Read, VariableRead
from .reading import Presence, Reading, read
from .shapes import (
    MAX_DEPTH,
    UNKNOWN,
    Kind,
    Member,
    Shape,
    elements_of,
    object_of,
    of_literal,
)


@dataclass(slots=True)
class Stage:
    """``document`` is ``$``; ``raw`` says that it is the state's raw input, so that what is read of it is there
    afterwards: ``met`` are those places."""

    state: State
    env: Env
    document: Shape
    notes: Notes
    raw: bool = False
    item: Shape | None = None
    met: list[tuple[Step, ...]] = field(default_factory=list)

    def path(
        self,
        part: Part,
        pointer: Pointer,
        text: JSON,
        *,
        wanted: frozenset[Kind] | None = None,
        tested: bool = False,
    ) -> Shape:
        """What a field with a path reads."""
        parsed = parsed_path(text)
        if parsed is None:
            return UNKNOWN
        return self.follow(part, pointer, str(text), parsed, wanted=wanted, tested=tested).shape

    def follow(
        self,
        part: Part,
        pointer: Pointer,
        text: str,
        path: Path,
        *,
        wanted: frozenset[Kind] | None = None,
        tested: bool = False,
    ) -> Reading:
        """What a path meets, noted. What cannot be there is unknown to what follows: one mistake, one finding."""
        self._note_variables(part, pointer, text, path, tested)
        reading = read(path, self._root(path))
        from_input = self.raw and path.root == "$"
        self.notes.reads.append(
            Read(self.state, part, pointer, text, path, reading, wanted, tested, from_input)
        )
        if from_input and not tested and path.definite and reading.presence is not Presence.NEVER:
            self.met.append(path.steps)
        return replace(reading, shape=UNKNOWN) if reading.presence is Presence.NEVER else reading

    def _root(self, path: Path) -> Shape:
        if path.root == "$":
            return self.document
        if path.root == "$$":
            return context_shape(self.state, self.item)
        known = self.env.variable(path.root)
        return UNKNOWN if known is None else known.shape

    def _note_variables(self, part: Part, pointer: Pointer, text: str, path: Path, tested: bool) -> None:
        for name in sorted(variables_in_path(path)):
            known = self.env.variable(name)
            self.notes.variables.append(VariableRead(self.state, part, pointer, text, name, known, tested))

    def expression(self, part: Part, pointer: Pointer, text: JSON) -> Shape:
        """What the value of a ``k.$`` evaluates to: a path or an intrinsic function."""
        if not isinstance(text, str) or is_unknown(text):
            return UNKNOWN
        if not is_intrinsic(text):
            return self.path(part, pointer, text)
        try:
            call = parse_intrinsic(text).call
        except ExpressionSyntaxError:
            return UNKNOWN
        return self._call(part, pointer, text, call)

    def _call(self, part: Part, pointer: Pointer, text: str, call: Call) -> Shape:
        signature = SIGNATURES[call.function]
        shapes: list[Shape] = []
        for position, argument in enumerate(call.arguments):
            if isinstance(argument, Call):
                shape = self._call(part, pointer, text, argument)
            elif isinstance(argument, Path):
                shape = self.follow(part, pointer, text, argument).shape
            else:
                shape = of_literal(argument.value)
            shapes.append(shape)
            wanted = signature.kinds(position)
            self.notes.arguments.append(
                Argument(
                    self.state,
                    part,
                    pointer,
                    text,
                    call.function,
                    position + 1,
                    shape,
                    wanted,
                    call.column,
                )
            )
        return signature.answers(shapes)

    def template(self, part: Part, pointer: Pointer, value: JSON, depth: int = 0) -> Shape:
        """What a payload template makes."""
        if is_unknown(value) or depth >= MAX_DEPTH:
            return UNKNOWN
        if isinstance(value, list):
            return elements_of(
                self.template(part, (*pointer, index), item, depth + 1) for index, item in enumerate(value)
            )
        if not isinstance(value, dict):
            return of_literal(value)
        members: dict[str, Member] = {}
        closed = True
        for key, item in value.items():
            if is_unknown(key):
                closed = False
            elif key.endswith(".$"):
                members[key[:-2]] = Member(self.expression(part, (*pointer, key), item))
            else:
                members[key] = Member(self.template(part, (*pointer, key), item, depth + 1))
        return object_of(members, closed=closed)


def parsed_path(text: JSON) -> Path | None:
    """The path in a field; None if there is none, or it is not known yet."""
    if not isinstance(text, str) or is_unknown(text):
        return None
    try:
        return parse_path(text)
    except ExpressionSyntaxError:
        return None
