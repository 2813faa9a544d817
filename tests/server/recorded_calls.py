"""Recorded calls of the service's operations, asked of a server of ours through boto3.

An answer may be early: calls that only look are repeated until they answer as recorded, or for long enough.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from histories.comparing import Masks, first_difference, plain

DATA = Path(__file__).with_name("recorded")
#: The account of the recordings.
ACCOUNT = "111111111111"
#: Parameters that are texts of JSON, given parsed.
_TEXTS = frozenset({"definition", "input", "output", "variables", "context", "result"})
_LOOKS = ("Describe", "List", "GetExecutionHistory")
#: Members that answers of the service have had since 2023 and 2024: older recordings do not know of them.
_LEARNT = frozenset({"encryptionConfiguration", "redriveCount", "redriveStatus", "redriveStatusReason"})
#: For how long a call that looks is repeated, in seconds.
PATIENCE = 100.0

Difference = tuple[str, Any, Any] | None


class Names(Masks):
    """Masks of calls: the names of executions stand for the same text everywhere, too."""

    def _bind(self, token: str, actual: Any) -> bool:
        if not _names_execution(token):
            return super()._bind(token, actual)
        return bool(self.bound.setdefault(token, actual) == actual)


def _names_execution(token: str) -> bool:
    return token.endswith("idx>") or token.startswith("<execution-id")


def recorded() -> Iterator[dict[str, Any]]:
    """Every recorded sequence of calls."""
    for path in sorted(DATA.glob("*.json")):
        yield from json.loads(path.read_text())["vectors"]


def play(vector: dict[str, Any], client: Any) -> Difference:
    """Make the calls of a recording; the first answer that differs: where, what was recorded, what was answered."""
    masks = Names(list(vector.get("placeholders", ())))
    if "CloudFormation" in vector.get("note", ""):
        _create_as_described(vector["steps"][0], client)
    given: dict[str, Any] = {}
    for number, step in enumerate(vector["steps"]):
        found = _played(step, client, masks, given)
        if found is not None:
            where, wanted, got = found
            return f"{number} {step['operation']} {where}", wanted, got
    return None


def _create_as_described(step: dict[str, Any], client: Any) -> None:
    """The machine that somebody else made before the recording began."""
    described = step["expect"]["response"]
    names = ("name", "definition", "roleArn", "type")
    client.create_state_machine(**_written({name: described[name] for name in names}))


def _played(step: dict[str, Any], client: Any, masks: Masks, given: dict[str, Any]) -> Difference:
    params = _written(_filled(step["params"], masks, given))
    until = time.monotonic() + (PATIENCE if step["operation"].startswith(_LOOKS) else 0)
    while True:
        answer = _answer(step["operation"], params, client)
        bound = dict(masks.bound)
        found = _difference(step.get("expect"), answer, masks)
        if found is None or time.monotonic() >= until:
            _note(answer.get("response", {}), masks, given)
            return found
        masks.bound = bound
        time.sleep(0.05)


def _note(response: dict[str, Any], masks: Masks, given: dict[str, Any]) -> None:
    """Keep what later calls may refer to: an execution that was started without a recorded answer, too."""
    given.update(response)
    if "startDate" in response and "executionArn" in response:
        started = given.setdefault("started", [])
        masks.bound.setdefault(
            f"<ExecArnPart_{len(started)}idx>", response["executionArn"].rpartition(":")[2]
        )
        started.append(response["executionArn"])


def _answer(operation: str, params: dict[str, Any], client: Any) -> dict[str, Any]:
    method = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    try:
        response = getattr(client, method)(**params)
        del response["ResponseMetadata"]
        for event in response.get("events", ()):
            del event["timestamp"]  # nor do the recordings have them
        return {"response": plain(response)}
    except ClientError as error:
        said = error.response["Error"]
        return {"error": {"code": said["Code"], "message": said["Message"]}}
    except ParamValidationError as error:
        return {"error": {"code": "ParamValidationError", "message": str(error)}}


def _difference(wanted: dict[str, Any] | None, answer: dict[str, Any], masks: Masks) -> Difference:
    if wanted is None:
        return None
    if "error" in wanted and "message" not in wanted["error"] and "error" in answer:
        answer = {"error": {"code": answer["error"]["code"]}}
    if "response" in wanted and "response" in answer:
        answer["response"] = {
            name: value
            for name, value in answer["response"].items()
            if name in wanted["response"] or name not in _LEARNT
        }
    return first_difference(wanted, answer, masks)


def _filled(params: Any, masks: Masks, given: dict[str, Any]) -> Any:
    """Parameters with what earlier answers gave in the place of masks."""
    if isinstance(params, dict):
        return {name: _filled(value, masks, given) for name, value in params.items()}
    if isinstance(params, list):
        return [_filled(value, masks, given) for value in params]
    if not isinstance(params, str):
        return params
    for token in masks.tokens:
        name = token.strip("<>").partition(":")[0]
        known = masks.bound.get(token, given.get(name))
        if token in params and isinstance(known, str):
            params = params.replace(token, known)
    return params


def _written(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as a client gives them: texts where texts belong."""
    written = {}
    for name, value in params.items():
        if name in _TEXTS and isinstance(value, dict | list):
            value = json.dumps(value)
        elif isinstance(value, dict):
            value = _written(value)
        written[name] = value
    return written
