"""``detent.toml``, or ``[tool.detent]`` in pyproject.toml: what a project wants of ``validate``, ``lint``, ``serve``.

The nearest file counts, from the current folder upward. What the file says is checked here, word by word; an
option on the command line wins over it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .exits import Refusal

if TYPE_CHECKING:
    from detent.schema.lint.rule import Target
    from detent.schema.lint.settings import Settings

#: What each table may hold, with the type of the value.
_LINT: Mapping[str, type] = {
    "select": list,
    "extend-select": list,
    "ignore": list,
    "severity": dict,
    "strict": bool,
    "target": str,
    "type": str,
    "input": str,
    "results": dict,
    "files": dict,
}
_FILES: Mapping[str, type] = {"ignore": list, "input": str, "results": dict, "type": str}
_WORDS = {"target": ("aws", "detent"), "type": ("STANDARD", "EXPRESS")}
_TYPES = {list: "a list of texts", dict: "a table", bool: "true or false", str: "a text"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was found; ``folder`` is where its paths start from."""

    folder: Path = Path()
    source: str | None = None
    lint: Mapping[str, Any] = field(default_factory=dict)
    #: The search attributes of machines, by name.
    search: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def strict(self) -> bool:
        return bool(self.lint.get("strict", False))

    def machine_type(self, file: str) -> str | None:
        """STANDARD or EXPRESS, if the configuration says so for this file."""
        kind: str | None = self._of(file, "type")
        return kind

    def settings(
        self,
        file: str,
        *,
        select: Sequence[str] = (),
        extend: Sequence[str] = (),
        ignore: Sequence[str] = (),
        target: Target | None = None,
    ) -> Settings:
        """The settings for one file; what is given here comes from the command line. Raises Refusal."""
        from detent.schema.diagnostics import Severity
        from detent.schema.inference.described import shape_of_schema
        from detent.schema.inference.shapes import UNKNOWN
        from detent.schema.lint.settings import Settings

        schema = self._of(file, "input")
        results = {**self.lint.get("results", {}), **self._for(file).get("results", {})}
        return Settings(
            select=tuple(select or self.lint.get("select", ())),
            extend=(*self.lint.get("extend-select", ()), *extend),
            ignore=(*self.lint.get("ignore", ()), *self._for(file).get("ignore", ()), *ignore),
            severity={code: Severity(word) for code, word in self.lint.get("severity", {}).items()},
            target=target or self.lint.get("target"),
            payload=UNKNOWN if schema is None else shape_of_schema(self._schema(schema)),
            results={resource: shape_of_schema(self._schema(path)) for resource, path in results.items()},
        )

    def _for(self, file: str) -> Mapping[str, Any]:
        """The tables of ``[lint.files]`` whose pattern fits, the later ones winning."""
        found: dict[str, Any] = {}
        path = Path(file).absolute()
        for pattern, table in self.lint.get("files", {}).items():
            if fnmatch(path.as_posix(), (self.folder.absolute() / pattern).as_posix()):
                found |= table
        return found

    def _of(self, file: str, name: str) -> Any:
        return self._for(file).get(name, self.lint.get(name))

    def _schema(self, name: str) -> Any:
        from detent.schema.document import DocumentError, read_json

        path = self.folder / name
        try:
            return read_json(path.read_bytes(), source=str(path))
        except OSError as error:
            raise Refusal(f"{self.source} names {name}, which cannot be read: {error.strerror}") from None
        except DocumentError as error:
            raise Refusal(f"{self.source} names {name}, which is no JSON Schema: {error}") from None


def configuration(path: str | None = None, *, start: Path | None = None) -> Configuration:
    """The configuration in a file, or in the nearest one, looked for from a folder upward, the current one if none
    is named. Raises Refusal for what cannot be understood."""
    if path is not None:
        return _read(Path(path)) or Configuration(Path(path).parent, path)
    here = start or Path.cwd()
    for folder in (here, *here.parents):
        for name in ("detent.toml", "pyproject.toml"):
            if (folder / name).is_file() and (found := _read(folder / name)) is not None:
                return found
    return Configuration()


def _read(path: Path) -> Configuration | None:
    """What a file says; None for a pyproject.toml without ``[tool.detent]``."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} is no TOML: {error}") from None
    if path.name == "pyproject.toml":
        tables = tables.get("tool", {}).get("detent")
        if tables is None:
            return None
    _check_table(tables, {"lint": dict, "search": dict}, str(path), "")
    lint = tables.get("lint", {})
    _check_table(lint, _LINT, str(path), "lint.")
    for pattern, table in lint.get("files", {}).items():
        if not isinstance(table, dict):
            raise Refusal(f"{path}: lint.files.{pattern} must be a table")
        _check_table(table, _FILES, str(path), f"lint.files.{pattern}.")
        check_codes(table.get("ignore", ()), str(path))
    for name in ("select", "extend-select", "ignore"):
        check_codes(lint.get(name, ()), str(path))
    _check_severities(lint.get("severity", {}), str(path))
    search = tables.get("search", {})
    _check_search(search, str(path))
    return Configuration(path.parent, str(path), lint, search)


def _check_table(table: Mapping[str, Any], known: Mapping[str, type], source: str, prefix: str) -> None:
    for name, value in table.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
            raise Refusal(f"{source}: there is no setting {prefix}{name}", hint)
        kind = known[name]
        fits = isinstance(value, kind) and (not isinstance(value, list) or _are_texts(value))
        if not fits:
            raise Refusal(f"{source}: {prefix}{name} must be {_TYPES[kind]}")
        if name in _WORDS and value not in _WORDS[name]:
            raise Refusal(f"{source}: {prefix}{name} must be {' or '.join(_WORDS[name])}")


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(each, str) for each in values)


def _check_search(tables: Mapping[str, Any], source: str) -> None:
    if not tables:
        return
    from detent.search import SearchAttributeError, check_declared

    for machine, table in tables.items():
        if not isinstance(table, dict) or not _are_texts(list(table.values())):
            raise Refusal(f"{source}: search.{machine} must be a table of names and paths")
        try:
            check_declared(table)
        except SearchAttributeError as error:
            raise Refusal(f"{source}: search.{machine}: {error}") from None


def _check_severities(table: Mapping[str, Any], source: str) -> None:
    check_codes(tuple(table), source)
    for code, word in table.items():
        if word not in ("error", "warning", "info"):
            raise Refusal(f"{source}: lint.severity.{code} must be error, warning or info")


def check_codes(codes: Sequence[str], source: str) -> None:
    """Raises Refusal for a code that does not exist."""
    if not codes:
        return
    from detent.schema.explain import explanations
    from detent.schema.lint.settings import ALL

    for code in codes:
        if code != ALL and code not in explanations():
            close = get_close_matches(code, explanations(), n=1)
            hint = f"did you mean {close[0]!r}?" if close else "`detent explain` lists all codes"
            raise Refusal(f"{source}: there is no code {code!r}", hint)
