"""Fixtures in pytest-asyncio's event loops: one for each loop that a test may run in."""

import pytest_asyncio

from neonup_pytest.in_loop import GENERATORS

for what, generator in GENERATORS.items():
    for scope in ("function", "class", "module", "package", "session"):
        name = f"_neon_asyncio_{what}_{scope}"
        globals()[name] = pytest_asyncio.fixture(name=name, loop_scope=scope)(generator)
