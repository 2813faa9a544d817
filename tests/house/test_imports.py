"""Which way imports point, which library belongs to which room, and what the pure rooms may not touch.

Three tables say it; the rest of the module reads the sources and compares.
"""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator

import pytest

from .tree import package_folders, pyproject, shipped_modules

OUTER = {
    "detent.mocking",
    "detent.teststate",
    "detent.runtime",
    "detent.runtime.compose",
    "detent.compile",
    "detent.schema",
    "detent.history",
    "detent.places",
    "detent.recording",
    "detent.trace",
    "detent.visits",
    "detent.search",
    "detent.audit",
    "detent.core",
}

#: What each room may import of detent, beside itself. A module is in the room with the longest name that fits.
#: Arrows point inward: cli and server -> runtime -> store -> core; the compiler joins schema, query and core.
MAY_IMPORT: dict[str, set[str]] = {
    "detent.core": set(),
    "detent.history": {"detent.core"},
    "detent.places": {"detent.core"},
    "detent.visits": {"detent.core"},
    "detent.trace": {"detent.visits", "detent.places", "detent.core"},
    "detent.recording": {"detent.compile", "detent.core"},
    "detent.audit": {"detent.recording", "detent.core"},
    "detent.query": {"detent.query.javaish", "detent.core"},
    # Where the service shows that it is written in Java, outside expressions, too.
    "detent.query.javaish": {"detent.core"},
    "detent.schema": {"detent.query", "detent.core"},
    "detent.compile": {"detent.schema", "detent.query", "detent.core"},
    "detent.store": {"detent.core"},
    "detent.search": {"detent.query", "detent.store", "detent.core"},
    "detent.mocking": {"detent.schema", "detent.core"},
    "detent.teststate": {"detent.compile", "detent.schema", "detent.query", "detent.core"},
    "detent.runtime": {
        "detent.query.javaish",
        "detent.store",
        "detent.search",
        "detent.history",
        "detent.recording",
        "detent.audit",
        "detent.teststate",
        "detent.mocking",
        "detent.core",
    },
    # A process of its own, which is to begin quickly.
    "detent.runtime.helper": {"detent.runtime", "detent.query", "detent.core"},
    # The composition root builds an engine from a store, handlers and the compiler: it alone knows them all.
    "detent.runtime.compose": {
        "detent.runtime",
        "detent.mocking",
        "detent.compile",
        "detent.schema",
        "detent.query",
        "detent.store",
        "detent.core",
    },
    "detent.definitions": {"detent"},
    "detent.server": {"detent", "detent.store", *OUTER},
    # Of the query room the command line knows only the queries that a person types.
    "detent.query.user": {"detent.query", "detent.core"},
    # A client knows a server by what it answers alone.
    "detent.client": {"detent.core"},
    "detent.cli": {"detent", "detent.query.user", "detent.server", "detent.client", *OUTER},
    # The public face: what `import detent` offers.
    "detent": OUTER,
}

#: The rooms a library is used in. A library that is not listed is used nowhere.
LIBRARIES: dict[str, set[str]] = {
    "aiohttp": {"detent.client", "detent.runtime.handlers", "detent.runtime.items.web", "detent.server"},
    "yarl": {"detent.runtime.handlers"},
    "aiosqlite": {"detent.store"},
    "asyncpg": {"detent.store"},
    "botocore": {"detent.runtime.handlers.aws", "detent.runtime.items.s3"},
    "cachetools": {"detent.runtime"},
    "click": {"detent.cli"},
    "ijson": {"detent.runtime.items.formats"},
    "jsonatapy": {"detent.query.jsonata.engine"},
    "jsonpath_ng": {"detent.query"},
    "jsonschema": {"detent.schema"},
    "lsprotocol": {"detent.cli.lsp"},
    "msgspec": {"detent.client", "detent.core.rows", "detent.server"},
    "orjson": {"detent.core.values"},
    "re2": {"detent.query"},
    "referencing": {"detent.schema"},
    "prometheus_client": {"detent.server"},
    "pygls": {"detent.cli.lsp"},
    "rich": {"detent.cli"},
    "yaml": {"detent.schema"},
}

#: No I/O, no clock, no chance of their own, no asyncio: these rooms import only the plain part of the
#: standard library.
PURE = {
    "detent.core",
    "detent.query",
    "detent.schema",
    "detent.compile",
    "detent.history",
    "detent.places",
    "detent.visits",
    "detent.trace",
    "detent.recording",
    "detent.audit",
}
PLAIN = set(
    """
    __future__ abc base64 binascii bisect calendar codecs collections contextlib copy dataclasses datetime
    decimal difflib enum functools hashlib heapq itertools json keyword marshal math operator random re reprlib string
    struct textwrap types typing unicodedata urllib uuid zoneinfo
    """.split()
)
#: Edges of pure rooms, with what they may import beyond the plain part.
EDGES: dict[str, set[str]] = {
    "detent.query.jsonata.engine": {"threading"},  # a compiled expression belongs to one thread
    "detent.schema.document": {"pathlib"},  # reads definition files
    "detent.schema.explain": {"importlib"},  # reads the pages it is shipped with
    "detent.schema.schema_files": {"importlib"},  # reads the JSON Schema files it is shipped with
}
#: What the plain part of the library still offers of clocks, chance and I/O.
IMPURE = set(
    """
    open print input eval exec breakpoint __import__ codecs.open
    datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today
    random.SystemRandom random.betavariate random.choice random.choices random.expovariate random.gauss
    random.getrandbits random.normalvariate random.randbytes random.randint random.random random.randrange
    random.sample random.seed random.shuffle random.triangular random.uniform
    uuid.getnode uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7
    urllib.request.urlopen
    """.split()
)

PLANTED = [
    pytest.param("detent.core.decide", "from ..query import bindings", id="core knows no query"),
    pytest.param("detent.core.decide", "import detent.store", id="core knows no store"),
    pytest.param(
        "detent.core.decide", "def f():\n    from ..runtime import engine", id="not even inside a function"
    ),
    pytest.param("detent.core.decide", "import orjson", id="orjson stays in core.values"),
    pytest.param("detent.core.decide", "import time", id="core has no clock"),
    pytest.param("detent.core.decide", "import asyncio", id="core has no loop"),
    pytest.param("detent.core.decide", "from socket import socket", id="core has no network"),
    pytest.param(
        "detent.core.decide", "from datetime import datetime as d\nd.now()", id="no clock by another name"
    ),
    pytest.param("detent.core.decide", "import random\nrandom.random()", id="no chance of its own"),
    pytest.param(
        "detent.query.intrinsics", "from uuid import uuid4\nuuid4()", id="query draws no identifiers"
    ),
    pytest.param("detent.query.intrinsics", "clock = __import__('time')", id="no import by another name"),
    pytest.param("detent.query.jsonpath", "print('$')", id="query prints nothing"),
    pytest.param("detent.query.jsonpath", "import yaml", id="yaml stays in schema"),
    pytest.param("detent.schema.validate", "import os", id="schema touches no system"),
    pytest.param(
        "detent.schema.validate", "from detent.compile import compile_machine", id="schema knows no compiler"
    ),
    pytest.param("detent.compile", "from .store import base", id="the compiler knows no store"),
    pytest.param("detent.history", "from .runtime import engine", id="history knows no runtime"),
    pytest.param("detent.store.sqlite", "from ..runtime import engine", id="the store knows no runtime"),
    pytest.param("detent.store.base", "import click", id="click stays in cli"),
    pytest.param("detent.runtime.engine", "import aiosqlite", id="aiosqlite stays in the store"),
    pytest.param("detent.runtime.engine", "from detent.cli import main", id="the runtime knows no command"),
    pytest.param(
        "detent.runtime.engine", "from ..compile import compile_machine", id="the runtime knows no compiler"
    ),
    pytest.param("detent.cli.run", "from detent.store import sqlite", id="a command knows no store"),
    pytest.param("detent.cli.run", "from ..core import errors", id="absolute across folders"),
    pytest.param("detent.store.sqlite", "from detent.core import errors", id="relative inside a folder"),
    pytest.param("detent.cli.run", "import requests", id="no library but the listed ones"),
    pytest.param("detent.schema.editor.hover", "from lsprotocol import types", id="only cli/lsp speaks LSP"),
    pytest.param("detent.cli.run", "import cli", id="no import by the folder's name"),
]


MODULES = dict(shipped_modules())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    path = MODULES[module]
    assert list(violations(module, path.read_text(), is_package=path.name == "__init__.py")) == []


@pytest.mark.parametrize(("module", "source"), PLANTED)
def test_a_planted_violation_is_found(module: str, source: str) -> None:
    assert list(violations(module, source)) != []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "detent.core.decide",
            "from .machine import Machine\nfrom datetime import datetime\ndatetime.fromtimestamp(0)",
        ),
        ("detent.core.decide", "from random import Random\nRandom(1).random()"),
        ("detent.query.flow", "from ..core.values import JSON\nimport jsonpath_ng.ext"),
        ("detent.runtime.compose", "from .. import compile\nfrom ..store import sqlite"),
        ("detent.cli.run", "import click\nfrom detent.runtime import compose\nprint('done')"),
    ],
)
def test_what_is_allowed_is_not_reported(module: str, source: str) -> None:
    assert list(violations(module, source)) == []


def test_every_package_has_its_rules() -> None:
    assert {_room(package) for package in package_folders()} <= MAY_IMPORT.keys()


def parsed(source: str) -> ast.Module:
    """The tree of a source. Nothing is collected meanwhile: what is may tell of an exception that nobody has looked at,
    whose traceback is parsed, too, and CPython 3.11 cannot parse while it parses (SystemError)."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()


def violations(module: str, source: str, *, is_package: bool = False) -> Iterator[str]:
    """Each breach of the tables above in the source of a module, with its line."""
    tree = parsed(source)
    package = module if is_package else module.rpartition(".")[0]
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (complaint := _wrong_form(module, node, package)):
            yield f"{module}:{node.lineno}: {complaint}"
        for target, bound_as in _imports(node, package):
            names |= bound_as
            complaint = _complaint(module, target)
            if complaint:
                yield f"{module}:{node.lineno}: {complaint}"  # type: ignore[attr-defined]  # imports have lines
    if _is_in(module, PURE):
        for line, name in _uses(tree, names):
            if name in IMPURE:
                yield f"{module}:{line}: {name} has no place in a pure room"


def _uses(tree: ast.AST, names: dict[str, str]) -> Iterator[tuple[int, str | None]]:
    """The functions a source calls by a plain name, and the attributes it reads of what it has imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, names.get(node.func.id, node.func.id)
        elif isinstance(node, ast.Attribute):
            yield node.lineno, _dotted(node, names)


def _complaint(module: str, target: str) -> str | None:
    top = target.partition(".")[0]
    if top == "detent":
        room = _room(module)
        allowed = _room(target) in MAY_IMPORT[room] | {room}
        return None if allowed else f"{room} may not import {target}"
    if top in LIBRARIES:
        return None if _is_in(module, LIBRARIES[top]) else f"{top} belongs to {', '.join(LIBRARIES[top])}"
    if top not in sys.stdlib_module_names:
        return f"{top} is no library of the project"
    if _is_in(module, PURE) and top not in PLAIN | EDGES.get(module, set()):
        return f"a pure room may not import {top}"
    return None


def _wrong_form(module: str, node: ast.ImportFrom, package: str) -> str | None:
    """Imports are relative inside a top-level folder, and start with ``detent.`` across folders."""
    target = _origin(node, package)
    if target.partition(".")[0] != "detent" or (_folder(module) == _folder(target)) == bool(node.level):
        return None
    return f"write {target} as {'an absolute' if node.level else 'a relative'} import"


def _folder(module: str) -> str:
    """The top-level folder: the name of the package that package-dir gives a folder of its own."""
    name = ".".join(module.split(".")[:2])
    return name if name in pyproject()["tool"]["setuptools"]["package-dir"] else "detent"


def _origin(node: ast.ImportFrom, package: str) -> str:
    parts = package.split(".")
    start = parts[: len(parts) + 1 - node.level] if node.level else []
    return ".".join([*start, *([node.module] if node.module else [])])


def _imports(node: ast.AST, package: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The modules an import statement names, in full, and the names it binds."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield alias.name, {alias.asname: alias.name} if alias.asname else {top: top}
    elif isinstance(node, ast.ImportFrom):
        origin = _origin(node, package)
        for alias in node.names:
            name = f"{origin}.{alias.name}"
            yield (name if _names_modules(origin) else origin), {alias.asname or alias.name: name}


def _names_modules(origin: str) -> bool:
    """Whether ``from origin import name`` may name a module: then the name decides, not the package."""
    return origin == "detent" or origin in package_folders()


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, names)
        return owner and f"{owner}.{node.attr}"
    return None


def _room(module: str) -> str:
    parts = module.split(".")
    fitting = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(name for name in fitting if name in MAY_IMPORT)


def _is_in(module: str, rooms: set[str]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)
