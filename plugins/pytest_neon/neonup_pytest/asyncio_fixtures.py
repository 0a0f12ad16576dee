"""Fixtures in pytest-asyncio's event loops: one for each loop that a test may run in."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import pytest_asyncio

from neonup_pytest.application.in_loop import GENERATORS


def _copy(generator: Any) -> Any:
    """A function of its own: pytest-asyncio notes the loop at the function."""
    return FunctionType(generator.__code__, generator.__globals__, generator.__name__)


for what, generator in GENERATORS.items():
    for scope in ("function", "class", "module", "package", "session"):
        name = f"_neon_asyncio_{what}_{scope}"
        globals()[name] = pytest_asyncio.fixture(name=name, loop_scope=scope)(_copy(generator))
