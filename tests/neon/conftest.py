"""A local Neon in this process, for all tests of a worker; each test has projects of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import remove_home, warm_home
from tests.neon.api import Api, Project
from tests.neon.oauth import Person
from tests.neon.serving import NeonServer, serving


@pytest.fixture(scope="session")
def neon_server_here(warm_parts: Path) -> Iterator[NeonServer]:
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture
def api(neon_server_here: NeonServer) -> Api:
    return Api(neon_server_here.base, neon_server_here.key)


@pytest.fixture
def project(api: Api) -> Project:
    return api.create_project(name="shop")


@pytest.fixture
def person(neon_server_here: NeonServer) -> Iterator[Person]:
    """A user of their own, signed in to the pages."""
    found = Person(neon_server_here)
    yield found
    found.browser.close()
