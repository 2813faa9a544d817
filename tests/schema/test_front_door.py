"""The front door: what is too large, too deep or no text is refused, and nothing but DocumentError comes out."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.values import encode
from detent.schema.diagnostics import Position
from detent.schema.document import (
    DEFINITION_LIMITS,
    DocumentError,
    TextLimits,
    read_document,
    read_file,
    read_json,
)

BOMBS = {
    "brackets": "[" * 1_000_000,
    "braces": '{"a":' * 200_000,
    "closed brackets": "[" * 300_000 + "]" * 300_000,
    "brackets behind a string": '["\\"", "[[",' + "[" * 100_000,
    "brackets behind a bad string": '"\\"' + "[" * 100_000,
    "blocks on one line": "- " * 500_000,
    "complex keys": "? " * 500_000,
    "flow mappings": "{a: " * 200_000,
    "brackets on lines": "a: [\n" + "[\n" * 300_000,
    "mixed": "a: " + "[{? " * 100_000,
    "indentation": "\n".join(" " * depth + "a:" for depth in range(1400)),
    "billion laughs": "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
    "quadratic blow-up": "a: &a " + "x" * 100_000 + "\nb: [" + "*a, " * 9_000 + "]",
    "a tower of aliases": "a0: &a0 []\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 400)),
    "merges of merges": "a0: &a0 {k0: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: 1}}\n" for n in range(1, 40)),
    "itself": "a: &a [*a]",
    "many values": "[" + "1," * 499_999 + "1]",
    "many yaml values": "a: [" + "1," * 400_000 + "1]",
    "many aliases": "a: &a x\nb: [" + "*a, " * 20_000 + "]",
    "long integer": "[" + "9" * 1_000_000 + "]",
    "long hexadecimal": "a: 0x" + "f" * 1_000_000,
    "long exponent": "a: 1e" + "9" * 1_000_000,
    "backslashes": '["' + "\\" * 999_999,
    "comments": "[" + "/**/" * 200_000,
    "bad values": "[" + "NaN," * 200_000 + "NaN]",
    "duplicate keys": "a: 1\n" * 200_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_goes_off(name: str, tmp_path: Path) -> None:
    """In a process of its own: what a bomb does to a parser written in C is to end the process."""
    path = tmp_path / "bomb"
    path.write_text(BOMBS[name])
    script = (
        "import sys\n"
        "from detent.schema.document import DocumentError, read_file\n"
        "try:\n"
        "    read_file(sys.argv[1])\n"
        "except DocumentError as error:\n"
        "    sys.stdout.write(error.diagnostics[0].code)\n"
    )
    command = [sys.executable, "-c", script, path]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("brackets", "too-deep"),
        ("blocks on one line", "too-deep"),
        ("a tower of aliases", "too-deep"),
        ("billion laughs", "too-many-values"),
        ("quadratic blow-up", "too-large"),
        ("many aliases", "too-many-aliases"),
        ("itself", "recursive-alias"),
        ("many values", "too-many-values"),
        ("many yaml values", "too-many-values"),
    ],
)
def test_each_limit_has_its_code(name: str, code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(BOMBS[name])
    assert [problem.code for problem in caught.value.diagnostics] == [code]


def test_the_deepest_value_that_is_read_can_be_written() -> None:
    depth = DEFINITION_LIMITS.max_depth
    for text in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        assert encode(read_json(text)) == text.encode()
        assert encode(read_document(text).value) == text.encode()
    nested = "- " * depth + "a"
    assert encode(read_document(nested).value) == b"[" * depth + b'"a"' + b"]" * depth


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_one_level_more_is_refused_at_its_bracket(format: str) -> None:
    text = '{"a": "]]\\"]", "b": ' + "[" * 199 + "\n[1]" + "]" * 199 + "}"
    with pytest.raises(DocumentError) as caught:
        read_document(text, format=format)  # type: ignore[arg-type]  # one of the two
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.position) == ("too-deep", Position(2, 1))


def test_brackets_in_strings_and_side_by_side_are_no_depth() -> None:
    text = '["' + "[" * 300 + '", "\\"' + "{" * 300 + '", ' + ", ".join(["[]"] * 300) + "]"
    assert len(read_json(text)) == 302
    assert len(read_document(text).value) == 302


def test_the_size_is_that_of_the_bytes() -> None:
    limits = TextLimits(max_bytes=10)
    assert read_json('"éééé"', limits=limits) == "éééé"
    for text in ('"ééééé"', '"ééééé"'.encode(), "[          ]"):
        with pytest.raises(DocumentError) as caught:
            read_json(text, limits=limits)
        assert caught.value.diagnostics[0].code == "too-large"


def test_inputs_may_be_larger_than_definitions() -> None:
    text = '["' + "x" * (2 * 1024 * 1024) + '"]'
    assert len(read_json(text)[0]) == 2 * 1024 * 1024
    with pytest.raises(DocumentError):
        read_document(text)
    assert read_document(text, limits=TextLimits(max_bytes=64 * 1024 * 1024)).value == read_json(text)


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "empty", "nothing in it"),
        (b"\xef\xbb\xbf \n", "empty", "nothing in it"),
        (b"# a comment\n", "empty", "but comments"),
        ("a: 1".encode("utf-16"), "encoding", "UTF-16"),
        ("a: 1".encode("utf-16-be"), "encoding", "UTF-16"),
        ("a: 1".encode("utf-32"), "encoding", "UTF-32"),
        (b"\x7fELF\x02\x01\x01\x00\x00\xff", "binary", "binary data"),
        (b"a: \x00", "binary", "binary data"),
        (b"a: b\nc: \xe9t\xe9", "encoding", "byte 0xe9"),
    ],
)
def test_what_is_no_text_is_named(content: bytes, code: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "machine.asl"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        read_file(path)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.source) == (code, str(path))
    assert says in problem.message


def test_the_first_byte_that_is_not_utf_8_has_a_place() -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(b"\xef\xbb\xbfa: b\n\xc3\xa9c: \xe9")
    assert caught.value.diagnostics[0].position == Position(2, 5)


def test_a_byte_order_mark_is_no_character() -> None:
    document = read_document(b"\xef\xbb\xbfa: 1")
    assert document.value == {"a": 1}
    assert document.position(("a",), key=True) == Position(1, 1)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, code in (
        (tmp_path / "none.yaml", "not-found"),
        (tmp_path, "not-a-file"),
        (tmp_path / "\0", "unreadable"),
        (tmp_path / ("x" * 5000), "unreadable"),
    ):
        with pytest.raises(DocumentError) as caught:
            read_file(path)
        (problem,) = caught.value.diagnostics
        assert (problem.code, problem.source) == (code, str(path))


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("a.json", "[1]", "json"),
        ("a.asl.json", "[1]", "json"),
        ("a.yaml", "[1]", "yaml"),
        ("a.YML", "- 1", "yaml"),
        ("a.asl", "[1]", "json"),
        ("a.asl", "- 1", "yaml"),
        ("a", "\n [1]", "json"),
    ],
)
def test_the_suffix_and_else_the_content_says_what_it_is(
    name: str, text: str, format: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    document = read_file(tmp_path / name)
    assert (document.value, document.format) == ([1], format)


def test_the_error_reads_as_a_sentence_with_its_place() -> None:
    with pytest.raises(DocumentError) as caught:
        read_document('{"a": NaN, "b": NaN}', source="x.json")
    assert str(caught.value) == (
        "x.json:1:7: error not-a-number: NaN is not a JSON value (write null or a string) (and 1 more)"
    )


def test_findings_are_not_endless() -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(BOMBS["bad values"])
    assert len(caught.value.diagnostics) == 100


@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_at_random_raise_nothing_else(content: bytes) -> None:
    for read in (read_document, read_json):
        with suppress(DocumentError):
            read(content)


@given(st.text(alphabet="ab0-:?,[]{}&*!|>'\"%@`#\\/\n\r\t .~$<=\ud800\x85\u2028\x00é", max_size=60))
def test_texts_at_random_raise_nothing_else(content: str) -> None:
    for source in ("a.json", "a.yaml"):
        with suppress(DocumentError):
            document = read_document(content, source=source).substitute({"a": "1"})
            assert document.position(("a", 0), key=True)
            assert all(hole.position for hole in document.placeholders)
