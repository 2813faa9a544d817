"""Settings that hold for every test."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from store.server import Server

settings.register_profile("dev", max_examples=30, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("long", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture
def postgres_server() -> Iterator[Server]:
    """A Postgres server of the test's own, which it may stop, freeze and start again."""
    server = Server()
    server.start()
    yield server
    server.remove()


@pytest.fixture(autouse=True)
def _what_is_logged_is_seen() -> Iterator[None]:
    """A command that runs in the tests' own process takes the log for itself: give it back afterwards."""
    logger = logging.getLogger("detent")
    handlers, propagate = list(logger.handlers), logger.propagate
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
