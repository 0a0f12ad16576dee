"""A project with a local database, and a local Neon to move it to and from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from neonup_emulator.neon import upkeep
from tests.conftest import remove_home, warm_home
from tests.emulator.api import Api
from tests.emulator.serving import NeonServer, serving
from tests.postgres import programs
from tests.project import Project, clean_environ


@pytest.fixture(scope="module")
def neon(warm_parts: Path) -> Iterator[NeonServer]:
    """A local Neon, whose servers are of an older major version than local databases."""
    home = warm_home(warm_parts)
    with serving(home, pg_bin=programs(tls=True)) as server:
        yield server
    remove_home(home)


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """An empty project."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home, NEONUP_ENV="development"))


@pytest.fixture
def cloud(neon: NeonServer) -> Iterator[str]:
    """The URL of a new and empty database of the local Neon's; gone afterwards, with its rows."""
    api = Api(neon.base, neon.key)
    made = api.create_project(name="shop")
    yield made.url
    api.ok("DELETE", made.path)
    clock = neon.neon.clock
    clock.ahead = timedelta(days=8)  # until then it could be recovered
    upkeep.expire(neon.neon)
    clock.ahead = timedelta()
