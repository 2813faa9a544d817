"""What a path that can match many selects, bounded: a little here, or all that it may take in another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...core.evaluation import TOOK_TOO_LONG, TOOK_TOO_MUCH
from ...core.measure import weight, written_length
from ...core.patience import Attempts
from ...core.values import JSON, decode, encode
from .parser import parse_path
from .run import Kind, PathMiss, Run, TooMuch
from .stages import compile_select
from .syntax import Descent, Indexes, Names, Path, Step

#: Characters that what is selected may have as JSON text: ``$..*`` writes a value as often as it is deep.
WRITTEN_MAX = 8 * 1024 * 1024

_TOO_LARGE = (f"The path selects more than {WRITTEN_MAX} characters", "unfit")


def _multiplies(step: Step) -> bool:
    """Whether a step may select one value several times."""
    return isinstance(step, (Descent, Indexes)) or (isinstance(step, Names) and len(step.names) > 1)


class Selected(NamedTuple):
    """What came out: a value, or the miss, as the arguments of :class:`PathMiss`."""

    miss: tuple[str, Kind] | None
    value: JSON = None
    weight: int = 0


class Selection:
    """A path and the function that selects; it raises what a :class:`Run` raises."""

    __slots__ = ("_multiplies", "_select", "attempts", "text")

    def __init__(self, path: Path, select: Callable[[JSON, Run], JSON]) -> None:
        self.text = path.text
        self._select = select
        self.attempts = Attempts()
        self._multiplies = any(map(_multiplies, path.steps))

    def of(self, root: JSON, *, hurried: bool = False) -> Selected:
        """What is selected of a root. Raises TooMuch, hurried."""
        try:
            value = self._select(root, Run(root, hurried=hurried))
            if self._multiplies and written_length(value, WRITTEN_MAX) > WRITTEN_MAX:
                return Selected(_TOO_LARGE)  # type: ignore[arg-type]
            return Selected(None, value)
        except PathMiss as miss:
            return Selected((miss.detail, miss.kind))
        except RecursionError:
            return Selected(("The document is nested too deeply", "unfit"))


class HurriedSelection:
    """A selection and its root, as the core's Evaluator takes them."""

    __slots__ = ("_root", "_selection")
    shares = True
    passes_on = False

    def __init__(self, selection: Selection, root: JSON) -> None:
        self._selection = selection
        self._root = root

    def quick(self) -> Selected | None:
        attempts = self._selection.attempts
        if not attempts.is_due():
            return None
        try:
            return self._selection.of(self._root, hurried=True)
        except TooMuch:
            attempts.took_too_long()
            return None

    def request(self) -> bytes:
        return encode({"path": self._selection.text, "root": self._root})

    def outcome(self, answer: bytes) -> Selected:
        if answer in (TOOK_TOO_LONG, TOOK_TOO_MUCH):
            return Selected(("The path takes too long, or too much memory", "unfit"))
        told = decode(answer)
        return Selected(None if told["miss"] is None else tuple(told["miss"]), told["value"], told["weight"])


def answer_request(request: dict[str, JSON]) -> bytes:
    """Do a selection that has travelled: the answer as it travels back."""
    path = parse_path(request["path"])
    selected = Selection(path, compile_select(path)).of(request["root"])
    return encode({"miss": selected.miss, "value": selected.value, "weight": weight(selected.value)})
