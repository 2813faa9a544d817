from __future__ import annotations

from pathlib import Path

from .conftest import Detent

UNTIDY = "States:\n    A: # one\n        End: true\n        Type: Pass\nStartAt: A\n"
TIDY = "StartAt: A\nStates:\n  A:  # one\n    Type: Pass\n    End: true\n"


def test_files_are_formatted_in_place_and_named(detent: Detent, folder: Path) -> None:
    (folder / "a.yaml").write_text(UNTIDY)
    (folder / "b.yaml").write_text(TIDY)
    result = detent("fmt", "a.yaml", "b.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "formatted a.yaml\n")
    assert (folder / "a.yaml").read_text() == TIDY


def test_check_changes_nothing_and_says_so(detent: Detent, folder: Path) -> None:
    (folder / "a.yaml").write_text(UNTIDY)
    result = detent("fmt", "--check", "a.yaml")
    assert (result.exit_code, result.stderr) == (1, "would change a.yaml\n")
    assert (folder / "a.yaml").read_text() == UNTIDY
    (folder / "a.yaml").write_text(TIDY)
    assert detent("fmt", "--check", "a.yaml").exit_code == 0


def test_diff_shows_what_would_change(detent: Detent, folder: Path) -> None:
    (folder / "a.yaml").write_text(UNTIDY)
    result = detent("fmt", "--diff", "a.yaml")
    assert result.exit_code == 0
    assert "--- a.yaml\n+++ a.yaml (formatted)\n" in result.stdout
    assert "+    Type: Pass\n" in result.stdout
    assert (folder / "a.yaml").read_text() == UNTIDY


def test_stdin_goes_to_stdout(detent: Detent) -> None:
    result = detent("fmt", "-", input=UNTIDY)
    assert (result.exit_code, result.stdout) == (0, TIDY)


def test_one_bad_file_does_not_keep_the_others(detent: Detent, folder: Path) -> None:
    (folder / "a.yaml").write_text(UNTIDY)
    (folder / "bad.json").write_text('{"StartAt": "A",}')
    result = detent("fmt", "bad.json", "a.yaml")
    assert result.exit_code == 1
    assert "bad.json:1:16: error json-syntax" in result.stderr
    assert (folder / "a.yaml").read_text() == TIDY
    assert detent("fmt", "none.yaml").exit_code == 2


def test_a_link_stays_a_link_and_the_mode_stays(detent: Detent, folder: Path) -> None:
    (folder / "a.yaml").write_text(UNTIDY)
    (folder / "a.yaml").chmod(0o640)
    (folder / "link.yaml").symlink_to("a.yaml")
    detent("fmt", "link.yaml")
    assert (folder / "link.yaml").is_symlink()
    assert (folder / "a.yaml").read_text() == TIDY
    assert (folder / "a.yaml").stat().st_mode & 0o777 == 0o640


def test_the_definitions_of_the_project_are_formatted(detent: Detent) -> None:
    gallery = Path(__file__).parents[2] / "definitions"
    assert detent("fmt", "--check", *map(str, sorted(gallery.glob("*/workflow.yaml")))).stderr == ""


def test_convert_writes_the_other_notation(detent: Detent, folder: Path) -> None:
    (folder / "a.yaml").write_text(TIDY)
    result = detent("convert", "a.yaml", "-o", "a.json")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "detent: 1 comment left out\n")
    assert detent("convert", "a.json").stdout == TIDY.replace("  # one", "")
    assert detent("convert", "a.json", "--to", "json").stdout == (folder / "a.json").read_text()
    assert detent("convert", "none.json").exit_code == 2
