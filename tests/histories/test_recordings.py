"""What the interpreter says is what the managed service said, event by event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .recordings import Driver, difference, recordings

ALL = list(recordings())
