"""Databases of one home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_local.service import home as homes
from neonup_local.service.databases import LocalDatabases


@pytest.fixture
def databases(neonup_home: Path) -> LocalDatabases:
    """No database yet, the engine and the template ready."""
    return LocalDatabases(neonup_home)


@pytest.fixture
def no_upkeep(neonup_home: Path) -> Iterator[None]:
    """No upkeep is at work: it stops servers and removes what nothing uses."""
    with homes.locked(neonup_home, homes.UPKEEP):
        yield
