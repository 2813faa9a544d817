"""Distributed Maps over files, web servers and S3: what is read, what is written, what is refused."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from detent.core.execution import Execution
from detent.runtime.compose import Names, open_engine, start_execution
from detent.runtime.handlers.guards import EVERYTHING
from detent.runtime.items.storages import Storages

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
FAIL = {
    "StartAt": "C",
    "States": {
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "NumericGreaterThan": 2, "Next": "F"}],
            "Default": "S",
        },
        "F": {"Type": "Fail", "Error": "Large", "Cause": "too large"},
        "S": {"Type": "Succeed"},
    },
}
GET, LIST, PUT = (f"arn:aws:states:::s3:{call}" for call in ("getObject", "listObjectsV2", "putObject"))


def each(body: dict[str, Any] = PASS, **fields: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **body}
    state = {"Type": "Map", "Label": "items", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "M", "States": {"M": state}}


def reading(resource: str, parameters: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    reader: dict[str, Any] = {"Resource": resource, "ReaderConfig": config}
    if parameters is not None:
        reader["Parameters"] = parameters
    return each(ItemReader=reader)


def play(definition: Any, input: Any = None, *, roots: list[Path] | None = None) -> Execution:
    """Run a definition to its end; ``roots`` are the folders whose files may be used, None all."""

    async def played() -> Execution:
        storages = Storages(roots, EVERYTHING)
        async with open_engine("memory:", lambda resource: None, storages=storages) as engine:
            return await engine.result((await start_execution(engine, definition, Names("m"), "x", input)).id)

    return asyncio.run(played())


def output(state: Execution) -> Any:
    assert state.output is not None, (state.error, state.cause)
    return state.output.value


def failure(state: Execution) -> tuple[str | None, str | None]:
    return state.error, state.cause


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server that gives out the folder's files."""
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an S3 that this test has for itself, with the buckets ``items`` and ``results``."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = botocore.session.get_session().create_client("s3", region_name="us-east-1")
    for bucket in ("items", "results"):
        client.create_bucket(Bucket=bucket)
    yield client
    server.stop()


# Files


def test_items_of_a_file_and_the_place_they_are_from(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[1, 2, 3]")
    definition = reading(f"file:{path}", MaxItems=2)
    definition["States"]["M"]["ItemSelector"] = {
        "v.$": "$$.Map.Item.Value",
        "from.$": "$$.Map.Item.Source",
    }
    assert output(play(definition)) == [{"v": n, "from": f"file:{path}"} for n in (1, 2)]


@pytest.mark.parametrize(
    ("batcher", "expected"),
    [
        # More than are read at once.
        ({"MaxItemsPerBatch": 700}, [700, 700, 100]),
        # {"Items":[1,...]} has 3,011 bytes with 1,500 items of one digit.
        ({"MaxInputBytesPerBatch": 2_011}, [1_000, 500]),
        ({"MaxItemsPerBatch": 1_200, "MaxInputBytesPerBatch": 2_011}, [1_000, 500]),
    ],
)
def test_a_batch_is_filled_however_many_items_it_may_have(
    tmp_path: Path, batcher: dict[str, int], expected: list[int]
) -> None:
    (tmp_path / "a.json").write_text(json.dumps([1] * 1_500))
    definition = reading(f"file:{tmp_path}/a.json")
    definition["States"]["M"]["ItemBatcher"] = batcher
    assert [len(batch["Items"]) for batch in output(play(definition))] == expected


def test_a_batch_is_no_larger_than_an_input_may_be(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(["x" * 400_000] * 5))
    count = {"Type": "Pass", "Parameters": {"n.$": "States.ArrayLength($.Items)"}, "End": True}
    reader = {"Resource": f"file:{tmp_path}/a.json"}
    definition = each(
        {"StartAt": "P", "States": {"P": count}}, ItemReader=reader, ItemBatcher={"MaxItemsPerBatch": 3}
    )
    assert output(play(definition)) == [{"n": 2}, {"n": 2}, {"n": 1}]


def test_the_bucket_may_be_a_folder_and_the_name_tells_the_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n{"n": 2}\n')
    definition = reading(GET, {"Bucket.$": "$.folder", "Key": "a.jsonl"})
    assert output(play(definition, {"folder": f"file:{tmp_path}"})) == [{"n": 1}, {"n": 2}]


def test_a_folder_is_listed_and_its_files_may_be_read_one_after_the_other(tmp_path: Path) -> None:
    for name in ("b/2.json", "a.json", "b/1.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps([name]))
    listed = output(play(reading(f"file:{tmp_path}")))
    assert [item["Key"] for item in listed] == ["a.json", "b/1.json", "b/2.json"]
    assert list(listed[0]) == ["Etag", "LastModified", "Key", "Size", "StorageClass"]
    below = reading(LIST, {"Bucket": f"file:{tmp_path}", "Prefix": "b/"})
    assert [item["Key"] for item in output(play(below))] == ["b/1.json", "b/2.json"]
    flat = reading(f"file:{tmp_path}", InputType="JSON", Transformation="LOAD_AND_FLATTEN")
    assert output(play(flat)) == ["a.json", "b/1.json", "b/2.json"]


def test_files_outside_the_roots_are_nobodys_business(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.json").write_text("[1]")
    (inside / "link").symlink_to(outside)
    for bucket, key in (
        (outside, "secret.json"),
        (inside, "../out/secret.json"),
        (inside, "link/secret.json"),
    ):
        state = play(reading(GET, {"Bucket": f"file:{bucket}", "Key": key}), roots=[inside])
        refused = f"The file {outside / 'secret.json'} is outside the folders that may be used here."
        assert failure(state) == ("States.ItemReaderFailed", refused)
    writer = {"Resource": PUT, "Parameters": {"Bucket": f"file:{outside}"}}
    state = play(each(ResultWriter=writer), [1], roots=[inside])
    assert state.error == "States.ResultWriterFailed"
    assert list(outside.iterdir()) == [outside / "secret.json"]


def test_a_file_that_is_not_there_fails_the_map(tmp_path: Path) -> None:
    gone = tmp_path / "gone.json"
    told = f"The file {gone} cannot be read: No such file or directory."
    assert failure(play(reading(f"file:{gone}"))) == ("States.ItemReaderFailed", told)


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({"Key": "k"}, "The field 'Bucket' is required but was missing."),
        ({"Bucket": "file:."}, "The field 'Key' is required but was missing."),
    ],
)
def test_a_call_that_lacks_something(parameters: dict[str, Any], cause: str) -> None:
    assert failure(play(reading(GET, parameters))) == ("States.ItemReaderFailed", cause)


def test_parquet_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    state = play(reading(f"file:{tmp_path / 'a.parquet'}", InputType="PARQUET"))
    told = "Items of the InputType PARQUET cannot be read here."
    assert failure(state) == ("States.ItemReaderFailed", told)


def test_an_inventory_names_the_objects(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number, rows in enumerate((b'"b","k1","1"\n', b'"b","k2","2"\n')):
        (tmp_path / "data" / f"{number}.csv.gz").write_bytes(gzip.compress(rows))
    manifest = {
        "destinationBucket": "arn:aws:s3:::elsewhere",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "data/0.csv.gz"}, {"key": "data/1.csv.gz"}],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    definition = reading(GET, {"Bucket": f"file:{tmp_path}", "Key": "manifest.json"}, InputType="MANIFEST")
    assert output(play(definition)) == [
        {"Bucket": "b", "Key": "k1", "Size": "1"},
        {"Bucket": "b", "Key": "k2", "Size": "2"},
    ]


def test_both_languages_read_and_write(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x;1\ny;2\n")
    reader = {
        "Resource": GET,
        "Arguments": {"Bucket": f"file:{tmp_path}", "Key": "{% $states.input.key %}"},
        "ReaderConfig": {
            "InputType": "CSV",
            "CSVDelimiter": "SEMICOLON",
            "CSVHeaderLocation": "GIVEN",
            "CSVHeaders": ["name", "n"],
            "MaxItems": "{% 1 + 1 %}",
        },
    }
    writer = {
        "Resource": PUT,
        "Arguments": {"Bucket": f"file:{tmp_path}", "Prefix": "{% $states.input.to %}"},
        "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
    }
    definition = {"QueryLanguage": "JSONata", **each(ItemReader=reader, ResultWriter=writer)}
    details = output(play(definition, {"key": "a.csv", "to": "results/"}))["ResultWriterDetails"]
    assert details["Key"].startswith("results/")
    manifest = json.loads((tmp_path / details["Key"]).read_text())
    (written,) = manifest["ResultFiles"]["SUCCEEDED"]
    text = (tmp_path / written["Key"]).read_text()
    assert text == '{"name":"x","n":"1"}\n{"name":"y","n":"2"}\n'
    assert written["Size"] == len(text)


def test_results_are_written_with_all_that_is_known_of_each(tmp_path: Path) -> None:
    writer = {"Resource": PUT, "Parameters": {"Bucket": f"file:{tmp_path}", "Prefix": "runs"}}
    state = play(each(FAIL, ResultWriter=writer, ToleratedFailureCount=1), [1, 2, 3])
    found = output(state)
    run = found["MapRunArn"].rpartition(":")[2]
    assert found["ResultWriterDetails"] == {
        "Bucket": f"file:{tmp_path}",
        "Key": f"runs/{run}/manifest.json",
    }
    manifest = json.loads((tmp_path / "runs" / run / "manifest.json").read_text())
    assert list(manifest) == ["DestinationBucket", "MapRunArn", "ResultFiles"]
    files = {kind: [one["Key"] for one in found] for kind, found in manifest["ResultFiles"].items()}
    assert files == {
        "FAILED": [f"runs/{run}/FAILED_0.json"],
        "PENDING": [],
        "SUCCEEDED": [f"runs/{run}/SUCCEEDED_0.json"],
    }
    good, bad = (json.loads((tmp_path / files[kind][0]).read_text()) for kind in ("SUCCEEDED", "FAILED"))
    assert [(one["Status"], one["Input"], one["Output"]) for one in good] == [
        ("SUCCEEDED", "1", "1"),
        ("SUCCEEDED", "2", "2"),
    ]
    assert [(one["Status"], one["Input"], one["Error"], one["Cause"]) for one in bad] == [
        ("FAILED", "3", "Large", "too large")
    ]
    assert set(good[0]) == {
        "ExecutionArn",
        "Input",
        "InputDetails",
        "Name",
        "Output",
        "OutputDetails",
        "RedriveCount",
        "RedriveStatus",
        "RedriveStatusReason",
        "StartDate",
        "StateMachineArn",
        "Status",
        "StopDate",
    }


def test_a_run_that_fails_writes_what_there_is_and_what_there_is_not(tmp_path: Path) -> None:
    writer = {"Resource": PUT, "Parameters": {"Bucket": f"file:{tmp_path}"}}
    state = play(each(FAIL, ResultWriter=writer, MaxConcurrency=1), [1, 3, 1, 1])
    assert state.error == "States.ExceedToleratedFailureThreshold"
    (manifest,) = tmp_path.glob("*/manifest.json")
    files = json.loads(manifest.read_text())["ResultFiles"]
    counts = {
        kind: [len(json.loads((tmp_path / one["Key"]).read_text())) for one in found]
        for kind, found in files.items()
    }
    assert counts == {"FAILED": [1], "PENDING": [2], "SUCCEEDED": [1]}


@pytest.mark.parametrize(
    ("transformation", "expected"),
    [("COMPACT", [[1], [2, 3], 4]), ("FLATTEN", [1, 2, 3, 4])],
)
def test_results_are_transformed_without_being_written(transformation: str, expected: Any) -> None:
    definition = each(ResultWriter={"WriterConfig": {"Transformation": transformation}})
    assert output(play(definition, [[1], [2, 3], 4])) == expected


# The web


def test_items_of_a_web_server(tmp_path: Path, web: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(list(range(1200))))
    assert output(play(reading(f"{web}/a.json"))) == list(range(1200))
    assert output(play(reading(GET, {"Bucket": web, "Key": "a.json"}, MaxItems=1))) == [0]


def test_what_a_web_server_does_not_give(tmp_path: Path, web: str) -> None:
    told = f"{web}/gone.json answers with the status 404."
    assert failure(play(reading(f"{web}/gone.json"))) == ("States.ItemReaderFailed", told)
    assert play(reading(LIST, {"Bucket": web})).error == "States.ItemReaderFailed"
    writer = {"Resource": PUT, "Parameters": {"Bucket": web}}
    assert play(each(ResultWriter=writer), [1]).error == "States.ResultWriterFailed"


# S3


def test_items_of_objects_and_results_into_others(s3: Any) -> None:
    s3.put_object(Bucket="items", Key="a/1.csv", Body=b"n\n1\n2\n")
    reader = {
        "Resource": GET,
        "Parameters": {"Bucket": "items", "Key": "a/1.csv"},
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    }
    writer = {"Resource": PUT, "Parameters": {"Bucket": "results", "Prefix": "mapJobs"}}
    selector = {"n.$": "$$.Map.Item.Value.n", "from.$": "$$.Map.Item.Source"}
    definition = each(ItemReader=reader, ResultWriter=writer, ItemSelector=selector)
    details = output(play(definition))["ResultWriterDetails"]
    assert details["Bucket"] == "results"
    manifest = json.load(s3.get_object(**details)["Body"])
    assert manifest["DestinationBucket"] == "results"
    (written,) = manifest["ResultFiles"]["SUCCEEDED"]
    records = json.load(s3.get_object(Bucket="results", Key=written["Key"])["Body"])
    assert [json.loads(record["Input"]) for record in records] == [
        {"n": n, "from": "S3://items/a/1.csv"} for n in ("1", "2")
    ]


def test_objects_are_listed(s3: Any) -> None:
    for number in range(3):
        s3.put_object(Bucket="items", Key=f"file_{number}.txt", Body=b"Hello")
    s3.put_object(Bucket="items", Key="other", Body=b"")
    listed = output(play(reading(LIST, {"Bucket": "items", "Prefix": "file_"})))
    assert [(item["Key"], item["Size"], item["StorageClass"]) for item in listed] == [
        (f"file_{number}.txt", 5, "STANDARD") for number in range(3)
    ]
    assert {type(item["LastModified"]) for item in listed} == {int}


def test_what_s3_refuses_is_said_in_its_words(s3: Any) -> None:
    state = play(reading(GET, {"Bucket": "items", "Key": "gone"}))
    told = "The specified key does not exist. (Service: S3, Error Code: NoSuchKey)"
    assert failure(state) == ("States.ItemReaderFailed", told)
    writer = {"Resource": PUT, "Parameters": {"Bucket": "nowhere"}}
    state = play(each(ResultWriter=writer), [1])
    assert state.error == "States.ResultWriterFailed"
    assert "NoSuchBucket" in (state.cause or "")
