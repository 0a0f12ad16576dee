"""A local Neon in this process, and somebody at a terminal who may sign in there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.oauth.terminal import Terminal
from tests.emulator.oauth import Person
from tests.emulator.serving import NeonServer
from tests.project import clean_environ


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
