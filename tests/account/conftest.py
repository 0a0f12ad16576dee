"""A local Neon for the tests of a module, and both clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.account.drivers import DRIVERS, Ask, Driver
from tests.conftest import remove_home, warm_home
from tests.neon.serving import NeonServer, serving


@pytest.fixture(scope="module")
def neon_server_here(warm_parts: Path) -> Iterator[NeonServer]:
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Driver:
    """Either client."""
    found: Driver = DRIVERS[request.param]
    return found


@pytest.fixture
def ask(driver: Driver, neon_server_here: NeonServer) -> Iterator[Ask]:
    """Ask the local Neon, through either driver."""
    with driver(neon_server_here.base, neon_server_here.key) as asking:
        yield asking
