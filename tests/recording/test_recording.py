"""The portable file: whole or refused, and laws that hold between a log and what stands beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from logs.make import side_by_side, values

from detent.audit import verify_recording
from detent.core.codec import LogError
from detent.core.values import encode
from detent.recording import Recording, RecordingError, is_recording, read_recording, write_recording


@pytest.fixture(scope="module")
def recording() -> Recording:
    return values().recording()


@pytest.fixture(scope="module")
def text(recording: Recording) -> bytes:
    return write_recording(recording, "0.1.0")


def changed(text: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file with something changed, by somebody who mends its digest."""
    body = json.loads(text)
    del body["sha256"]
    change(body)
    return json.dumps(body | {"sha256": sha256(encode(body)).hexdigest()}).encode()


def test_it_comes_back_as_it_was(recording: Recording, text: bytes) -> None:
    assert read_recording(text) == replace(recording, release="0.1.0")


def test_it_is_text_for_people(text: bytes) -> None:
    lines = text.decode().splitlines()
    assert lines[1:4] == ['  "kind": "detent-execution",', '  "version": 1,', '  "release": "0.1.0",']
    assert '      "Hold": {"Type": "Wait", "Seconds": 5, "Next": "Later"},' in lines
    long = [line for line in lines if len(line) > 110 and "xxxx" not in line]
    assert long == []


def test_spacing_does_not_matter_but_a_changed_letter_does(recording: Recording, text: bytes) -> None:
    assert read_recording(json.dumps(json.loads(text)).encode()) == replace(recording, release="0.1.0")
    with pytest.raises(RecordingError, match="changed or damaged"):
        read_recording(text.replace(b'"Seconds": 5', b'"Seconds": 6'))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_says_so(text: bytes, part: float) -> None:
    with pytest.raises(RecordingError, match="cut or changed"):
        read_recording(text[: int(len(text) * part)])


@pytest.mark.parametrize(
    "other",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"StartAt: A", b'{"kind": 1}', b"[" * 100_000, b'{"a": NaN}'],
)
def test_what_is_no_export_is_refused(other: bytes) -> None:
    assert not is_recording(other)
    with pytest.raises(RecordingError, match="no exported execution"):
        read_recording(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("log"),
        lambda body: body.update(log=[]),
        lambda body: body.update(log=[1]),
        lambda body: body.update(log=7),
        lambda body: body.pop("definition"),
        lambda body: body.update(definition={"StartAt": "Other"}),
        lambda body: body.update(blobs=[]),
        lambda body: body.pop("release"),
        lambda body: body["execution"].pop("name"),
        lambda body: body["execution"].update(name=1),
        lambda body: body["execution"].update(started_at="now"),
        lambda body: body["execution"].update(more=1),
        lambda body: body.update(execution=None),
    ],
)
def test_what_lacks_something_is_refused(text: bytes, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(RecordingError):
        read_recording(changed(text, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["log"][0].update(control=[]),
        lambda body: body["log"][0].update(control=[1, "0.1.0", [[["nothing"], 1, "", []]]]),
        lambda body: body["log"][0]["payloads"].clear(),
        lambda body: body.update(blobs={}),
    ],
)
def test_a_log_that_cannot_be_read_is_refused(
    text: bytes, change: Callable[[dict[str, Any]], object]
) -> None:
    with pytest.raises(LogError):
        read_recording(changed(text, change))


def test_later_versions_say_what_to_do(text: bytes) -> None:
    with pytest.raises(RecordingError, match=r"version 2, this release reads up to 1: upgrade detent"):
        read_recording(changed(text, lambda body: body.update(version=2)))
    with pytest.raises(LogError, match=r"format 9, this release reads up to \d: upgrade detent"):
        read_recording(changed(text, lambda body: body["log"][0]["control"].__setitem__(0, 9)))


# Laws


def test_a_sound_recording_breaks_no_law(recording: Recording) -> None:
    assert verify_recording(recording) == []


def laws(recording: Recording) -> set[str]:
    return {breach.law for breach in verify_recording(recording)}


def test_what_stands_beside_the_log_must_agree(recording: Recording) -> None:
    for wrong in ({"status": "FAILED"}, {"ended_at": None}, {"name": "other"}, {"id": "x"}):
        facts = replace(recording.facts, **wrong)
        assert laws(replace(recording, facts=facts)) == {"what stands beside a log agrees with it"}


def test_a_missing_segment_is_seen() -> None:
    recording = side_by_side().recording()
    without = replace(recording, parts=(*recording.parts[:2], *recording.parts[3:]))
    assert "the events of a log are numbered without a gap" in laws(without)


def test_an_unreadable_log_is_a_breach(recording: Recording) -> None:
    assert laws(replace(recording, blobs={})) == {"a log can be read to its end"}
