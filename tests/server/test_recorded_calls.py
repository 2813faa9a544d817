"""What the service answered to recorded calls, the server answers too: through boto3, which knows of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import StartServer
from .recorded_calls import ACCOUNT, play, recorded


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["id"]) for vector in recorded()])
def test_the_answers_are_those_of_the_service(
    vector: dict[str, Any], start_server: StartServer, boto: Any
) -> None:
    server = start_server(account=ACCOUNT)
    assert play(vector, boto(server)) is None
