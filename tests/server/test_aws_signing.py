"""Requests signed by boto3 are verified where access keys are configured; on loopback without keys nobody asks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from detent.server.aws.errors import ServiceError
from detent.server.aws.signing import Signed, read_access_keys, verify

from .conftest import Running, StartServer

KEYS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


@pytest.fixture
def guarded(start_server: StartServer) -> Running:
    return start_server(access_keys=KEYS)


def test_a_client_with_the_secret_is_let_in(guarded, boto):
    assert (
        boto(guarded, access_key="AKIDEXAMPLE", secret=KEYS["AKIDEXAMPLE"]).list_state_machines()[
            "stateMachines"
        ]
        == []
    )


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIDEXAMPLE", "guessed", "InvalidSignatureException"),
        ("AKIDOTHER", KEYS["AKIDEXAMPLE"], "UnrecognizedClientException"),
    ],
)
def test_others_are_not(guarded, boto, key, secret, code):
    with pytest.raises(ClientError) as error:
        boto(guarded, access_key=key, secret=secret).list_state_machines()
    assert error.value.response["Error"]["Code"] == code


def test_an_unsigned_request_is_refused(guarded):
    assert asked(guarded, {})[1]["__type"] == "MissingAuthenticationTokenException"
    status, said = asked(guarded, {"Authorization": "AWS4-HMAC-SHA256 Credential=nonsense"})
    assert (status, said["__type"]) == (400, "IncompleteSignatureException")


def test_other_protocols_need_a_key_as_well(guarded):
    with pytest.raises(urllib.error.HTTPError) as error, urllib.request.urlopen(f"{guarded.url}/v1/machines"):
        pass
    with error.value as refused:
        assert refused.code == 401


def test_on_loopback_without_keys_nobody_asks(server):
    assert asked(server, {}) == (200, {"stateMachines": []})


def asked(server: Running, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    headers = {"X-Amz-Target": "AWSStepFunctions.ListStateMachines", **headers}
    request = urllib.request.Request(f"{server.url}/", b"{}", headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


# What is verified, against the signer of botocore


def signed(body: bytes = b'{"a": 1}', service: str = "states") -> Signed:
    request = AWSRequest(
        "POST",
        "http://localhost:8083/",
        data=body,
        headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "AWSStepFunctions.StartExecution",
        },
    )
    SigV4Auth(Credentials(*next(iter(KEYS.items()))), service, "eu-central-1").add_auth(request)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    return Signed("POST", {"host": "localhost:8083", **headers}, body)


def signed_at(request: Signed) -> int:
    when = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return int(when.timestamp() * 1000)


def test_what_botocore_signs_is_verified():
    request = signed()
    assert verify(request, KEYS, signed_at(request)) == "AKIDEXAMPLE"


@pytest.mark.parametrize(
    "change",
    [
        lambda request: Signed("POST", request.headers, b'{"a": 2}'),
        lambda request: Signed("PUT", request.headers, request.body),
        lambda request: Signed("POST", {**request.headers, "host": "elsewhere"}, request.body),
        lambda request: Signed(
            "POST", {**request.headers, "x-amz-target": "AWSStepFunctions.StopExecution"}, request.body
        ),
    ],
)
def test_what_was_changed_is_refused(change):
    request = signed()
    with pytest.raises(ServiceError) as refused:
        verify(change(request), KEYS, signed_at(request))
    assert refused.value.code == "InvalidSignatureException"


def test_a_signature_for_another_service_is_refused():
    request = signed(service="sqs")
    with pytest.raises(ServiceError):
        verify(request, KEYS, signed_at(request))


@pytest.mark.parametrize(("minutes", "word"), [(6, "expired"), (-6, "not yet current")])
def test_an_old_signature_is_refused(minutes, word):
    request = signed()
    with pytest.raises(ServiceError, match=word):
        verify(request, KEYS, signed_at(request) + minutes * 60_000)


def test_access_keys_stand_in_a_file_one_on_each_line():
    assert read_access_keys("# ours\nAKID1 secret1\n\nAKID2  secret2 # of the deploys\n") == {
        "AKID1": "secret1",
        "AKID2": "secret2",
    }
    with pytest.raises(ValueError, match="line 2"):
        read_access_keys("AKID1 secret1\nAKID2\n")
