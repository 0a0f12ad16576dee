"""Fixtures in anyio's event loop: it runs those of a test that asks for ``anyio_backend``."""

import pytest

from neonup_pytest.application.in_loop import GENERATORS

for what, generator in GENERATORS.items():
    globals()[f"_neon_anyio_{what}"] = pytest.fixture(name=f"_neon_anyio_{what}")(generator)
