"""Holds the engine against what the managed service was recorded to do, and writes docs/conformance.md.

``make conformance`` prints the figures and writes the page. ``python tools/conformance.py --vectors FOLDER`` prints
them for other recordings in the same form, with the first difference of each that is not met.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "conformance.md"

sys.path.insert(0, str(ROOT / "tests"))

from histories import lists, table  # noqa: E402  # the tests hold the recordings

HEAD = """\
# Conformance

Written by `make conformance`; do not edit.

A definition that runs on AWS Step Functions should give the same status, output, error, cause and history here. The
recordings below were made of the managed service by the tests of LocalStack (Apache License 2.0; they lie in
`tests/histories/data/` with their notice). The engine acts each execution out, with tasks that answer as they were
recorded, in simulated time; each request is answered. *Exact* says that everything is as recorded, every event of
the history with its number among it; *status and output only* that the end is right and an event is not.
"""

KNOWN = """\
## What is known to differ

What stands on one of two lists is not counted above: what needs the service itself, and what the service has changed
since it was recorded.

| recording | needs the service |
|---|---|
{needs}

| recording | the service has changed |
|---|---|
{changed}

Also known, though no recording shows it:

- Nothing here has a quota of requests, and no throttling follows from one.
- HTTP Tasks (`http:invoke`) were never recorded: they follow the documentation, [as far as it goes](http-tasks.md).
- A mocked result is held against the answers of the services that are named in
  [the data](../interpreter/teststate/models/README.md); of another service it is taken as it is.
- Of the findings of ValidateStateMachineDefinition those have the service's words that were seen; others have ours.
- Paths are measured as the reference implementation takes them, `$.` before them or not; the language wants it. They
  follow it but for a few paths that the language itself has no use for, and those
  where the service was seen to do otherwise; `tests/query/test_jsonpath_jayway.py` names them.
- JSONata was compared with its reference, function by function. What differs, beside rare errors: a text made of a
  whole number of more than 15 digits keeps them all, `$trim` removes every kind of space, `$toMillis` refuses days
  that no month has, and `$number` what is not finite.
"""


def page(tables: list[tuple[str, table.Table]], suites: list[table.Suite]) -> str:
    """The page of the documentation."""
    parts = [HEAD]
    for title, one in tables:
        parts.append(f"## {title}\n\n{_markdown(one)}")
    rows = "\n".join(f"| {suite.name} | {suite.right} | {suite.cases} |" for suite in suites)
    parts.append(f"## Expressions\n\n| suite | right | of |\n|---|---|---|\n{rows}\n")
    needs, changed = (
        "\n".join(f"| `{name}` | {why} |" for name, why in sorted(known.items()))
        for known in (lists.NEEDS_THE_SERVICE, lists.CHANGED_SINCE)
    )
    parts.append(KNOWN.format(needs=needs, changed=changed))
    return "\n".join(parts)


def _markdown(one: table.Table) -> str:
    lines = [f"| family | {' | '.join(table.KINDS)} |", "|---" * (len(table.KINDS) + 1) + "|"]
    for name, counts in [*sorted(one.families.items()), ("**all**", one.total)]:
        lines.append(f"| {name} | {' | '.join(str(counts[kind]) for kind in table.KINDS)} |")
    return "\n".join(lines) + "\n"


def _print(tables: list[tuple[str, table.Table]]) -> None:
    for title, one in tables:
        print(f"\n{title:<60} {' / '.join(table.KINDS)}")
        for name, counts in [*sorted(one.families.items()), ("all", one.total)]:
            print(f"  {name:<58} {_figures(counts)}")


def _figures(counts: Counter[str]) -> str:
    return " / ".join(str(counts[kind]) for kind in table.KINDS)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--vectors"]:
        tables = table.report(Path(arguments[1]))
        _print(tables)
        for _, one in tables:
            for name, difference in one.unmet:
                print(f"\n{name}\n  {difference}")
        return 0
    tables, suites = table.report(), table.suites()
    _print(tables)
    print("\nExpressions" + " " * 50 + "right / of")
    for suite in suites:
        print(f"  {suite.name:<58} {suite.right} / {suite.cases}")
    TARGET.write_text(page(tables, suites))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
