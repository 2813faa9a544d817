"""What is not met, and why. There are two reasons, and no third: the service itself is needed, or has changed since."""

from __future__ import annotations

from typing import Any

_WHOLE_ANSWER = (
    "the mock configuration stands for a call whose whole answer, headers and all, only the service knows"
)

#: Needs the real service, by the name of the recording.
NEEDS_THE_SERVICE = {
    "test_lambda_service_invoke_sync_execution": _WHOLE_ANSWER,
}

_SPELLING = "until mid-2024 the service kept the spelling of the first state's input; now it writes it anew"
_REDRIVES = "in 2023 the context object had no RedriveCount"

#: Recorded before the service changed, by the name of the recording.
CHANGED_SINCE = {
    "test_lambda_invoke_with_retry_extended_input": _REDRIVES,
    "test_lambda_service_invoke_with_retry_extended_input": _REDRIVES,
    "test_map_state_legacy_config_inline": _SPELLING,
    "test_map_state_legacy_config_inline_item_selector": _SPELLING,
    "test_map_state_legacy_config_inline_parameters": _SPELLING,
    "test_map_state_nested": _SPELLING,
    "test_map_state_config_inline_item_selector": _SPELLING,
    "test_map_state_config_distributed_item_selector": _SPELLING,
    "test_map_state_legacy_config_distributed": _SPELLING,
    "test_map_state_legacy_config_distributed_item_selector": _SPELLING,
    "test_map_state_legacy_config_distributed_parameters": _SPELLING,
}

LISTED = NEEDS_THE_SERVICE | CHANGED_SINCE


def name(vector: dict[str, Any]) -> str:
    """What a recording is called in the lists."""
    return str(vector["id"].split("::")[-1])
