"""A database on this machine with something in it, and projects whose database it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup_local.service.databases import LocalDatabases
from neonup_local.service.versions.local_versions import LocalVersions
from tests.project import Project, clean_environ
from tests.versions.shop import Shop


@pytest.fixture
def databases(neonup_home: Path) -> LocalDatabases:
    """The databases of the home."""
    return LocalDatabases(neonup_home)


@pytest.fixture
def shop(databases: LocalDatabases) -> Shop:
    """A database whose table says 1."""
    shop = Shop(databases)
    shop.make()
    return shop


@pytest.fixture
def versions(shop: Shop) -> LocalVersions:
    """Its versions; there are none yet."""
    return shop.versions


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """A project whose database has a table that says 1."""
    folder = tmp_path / "shop"
    folder.mkdir()
    project = Project(folder, clean_environ(neonup_home))
    project.ok("-y")
    project.query("CREATE TABLE state AS SELECT 1 AS n")
    return project
