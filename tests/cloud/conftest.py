"""A local Neon in this process, for the tests of a module, and projects whose commands use it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_cloud import NeonClient
from tests.cloud.neon import account_environ
from tests.cloud.relay import Relay, relaying
from tests.conftest import remove_home, warm_home
from tests.emulator.serving import NeonServer, serving
from tests.project import Project, clean_environ


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine leads to somebody's account."""
    for name in list(os.environ):
        if name.startswith(("NEON_", "CLAIMABLE_", "PYTHON_KEYRING")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def neon_server_here(warm_parts: Path) -> Iterator[NeonServer]:
    """A local Neon; its projects are those of the module's tests."""
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture
def shop(tmp_path: Path, neonup_home: Path, neon_server_here: NeonServer) -> Project:
    """An empty project whose databases come from one's own account."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home, **account_environ(neon_server_here)))


@pytest.fixture
def name(shop: Project) -> str:
    """The folder has a name of the test's own, and so have the projects."""
    found = f"shop-{uuid.uuid4().hex[:10]}"
    shop.folder = shop.folder.rename(shop.folder.with_name(found))
    return found


@pytest.fixture
def relay(neon_server_here: NeonServer) -> Iterator[Relay]:
    with relaying(neon_server_here.base) as found:
        yield found


@pytest.fixture
def owner(neon_server_here: NeonServer) -> Iterator[NeonClient]:
    with NeonClient(neon_server_here.key, base_url=neon_server_here.base) as found:
        yield found
