"""A local Neon in this process, and somebody at a terminal who may sign in there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.account.oauth.terminal import Terminal
from tests.conftest import remove_home, warm_home
from tests.neon.oauth import Person
from tests.neon.serving import NeonServer, serving
from tests.project import clean_environ


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine leads to somebody's account."""
    for name in list(os.environ):
        if name.startswith(("NEON_", "PYTHON_KEYRING")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def neon_server_here(warm_parts: Path) -> Iterator[NeonServer]:
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture
def person(neon_server_here: NeonServer) -> Iterator[Person]:
    """A user of their own, signed in to the pages."""
    found = Person(neon_server_here)
    yield found
    found.browser.close()


@pytest.fixture
def terminal(tmp_path: Path, neon_server_here: NeonServer, person: Person) -> Terminal:
    """Theirs, on a machine without a keyring."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Terminal(
        folder,
        clean_environ(
            tmp_path / "home",
            NEON_API_HOST=neon_server_here.base,
            PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
        ),
        person=person,
        server=neon_server_here,
    )
