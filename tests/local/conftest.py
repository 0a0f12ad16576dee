"""Databases of one home."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup_local.service.databases import Databases


@pytest.fixture
def databases(neonup_home: Path) -> Databases:
    """No database yet, the engine and the template ready."""
    return Databases(neonup_home)
