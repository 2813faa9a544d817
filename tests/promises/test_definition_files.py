"""A definition file means what it says, and a hostile one is refused like any other (P15)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .world import PROGRAM, SIZE, say

#: Address space that a look at a file may take, in KiB.
MEMORY_MAX = 2 * 1024**2
#: With TORTURE=1 every so many files are looked at.
STRIDE = 12 if SIZE == 1 else 1

SOUND = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    End: true\n"
SCALARS = (
    *(
        "no",
        "on",
        "yes",
        "off",
        "y",
        "~",
        "null",
        "True",
        "1:30",
        "0o17",
        "017",
        "0x1F",
        "1_000",
        "5e7",
        ".inf",
        "-.inf",
    ),
    *(
        ".nan",
        "1e400",
        "2026-11-21",
        "=",
        "<<",
        "!!float 1",
        "!!python/name:os.system",
        "!!binary aGVsbG8=",
        "!x y",
    ),
    *(
        "&a *a",
        "*nobody",
        "|",
        ">-",
        "'",
        '"\\x00"',
        '"\\ud800"',
        "@x",
        "`x`",
        "%x",
        "? x",
        "- -",
        "{",
        "[",
        "}",
    ),
)
MEMBERS = ("Comment: {}", "Result: {}", "Type: {}")


def files() -> Iterator[bytes]:
    for scalar in SCALARS:
        for member in MEMBERS:
            line = member.format(scalar)
            kept = SOUND.replace("    Type: Pass\n", "") if line.startswith("Type") else SOUND
            yield f"{kept}    {line}\n".encode()
    bomb = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 30))
    yield f"x0: &x0 [lol]\n{bomb}{SOUND}".encode()
    yield b"a: &a [*a]\n" + SOUND.encode()
    yield b"&a {StartAt: A, States: *a}"
    yield (SOUND + SOUND).encode()
    yield (SOUND + "---\n" + SOUND).encode()
    yield SOUND.replace("End: true", "End: true\n    End: false").encode()
    yield b"!!python/object/apply:os.system ['exit 7']"
    yield b"!!python/object/new:type {}"
    yield b"!!set {StartAt, States}"
    for size in (1_000, 30_000, 300_000):
        yield b"[" * size
        yield b"{a: " * size
        yield b"- " * size
        yield b"? " * size
        yield b"&a " * size
        yield b"!" * size
        yield b"'" + b"x" * size
        yield b" " * size + b"x: y"
        yield b"[" * size + b"]" * size
    yield from (
        b"",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + SOUND.encode(),
        SOUND.encode("utf-16"),
        b"\t- x",
        b"%YAML 9.9\n---\n{}",
    )
    yield json.dumps({"StartAt": "A", "States": {"A" * 100_000: {}}}).encode()


def look(path: Path) -> str | None:
    """What is wrong with how ``detent validate`` takes a file; None if nothing is."""
    done = subprocess.run(
        ["sh", "-c", f'ulimit -v {MEMORY_MAX} && exec "$@"', "sh", PROGRAM, "validate", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode not in (0, 1, 2) or "Traceback" in said or "defect" in said:
        return f"{path.read_bytes()[:100]!r}: {done.returncode} {said[-500:]}"
    return None


def test_a_hostile_file_is_refused_in_order(tmp_path: Path) -> None:
    paths = []
    for number, content in enumerate(files()):
        if number % STRIDE == 0:
            paths.append(tmp_path / f"f{number}.yaml")
            paths[-1].write_bytes(content)
    with ThreadPoolExecutor(2) as pool:
        wrong = [said for said in pool.map(look, paths) if said is not None]
    assert not wrong, "\n".join(wrong)
    say(f"P15: {len(paths)} files, 0 findings")
