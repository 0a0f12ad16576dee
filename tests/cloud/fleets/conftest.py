"""Fleets at the local Neon of the module; each test has a prefix, and so projects, of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from neonup.plugin.http import Sender
from neonup_cloud import NeonClient
from neonup_cloud.fleets import Fleet
from tests.cloud import both
from tests.cloud.both import Both
from tests.cloud.fleets.fleets import TIERS, Asked
from tests.emulator.serving import NeonServer


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture(params=both.DRIVERS)
def neon(request: pytest.FixtureRequest, neon_server_here: NeonServer) -> Iterator[Both]:
    """Both drivers, their requests checked."""
    server = neon_server_here
    with both.client(request.param, server.base, server.key, org_id=server.org_id) as found:
        yield found


@pytest.fixture
def fleet(neon: Both, prefix: str) -> Asked:
    return Asked(neon, prefix)


@pytest.fixture
def blocking(neon_server_here: NeonServer, prefix: str) -> Iterator[Fleet[Sender]]:
    """The same fleet over a `NeonClient`."""
    server = neon_server_here
    with NeonClient(server.key, base_url=server.base, org_id=server.org_id) as found:
        yield Fleet(found, TIERS, prefix=prefix)
