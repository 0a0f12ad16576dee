"""Databases of one home."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup_local.service.databases import LocalDatabases


@pytest.fixture
def databases(neonup_home: Path) -> LocalDatabases:
    """No database yet, the engine and the template ready."""
    return LocalDatabases(neonup_home)
