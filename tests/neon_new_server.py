"""A local neon.new in this process: the application of `neonup serve`, on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from neonup_emulator.neon.claimable import neon_new
from neonup_emulator.neon.claimable.model import ClaimableDatabase
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.store import setting
from tests import asking
from tests.emulator import serving as neon


@dataclass(frozen=True)
class NeonNewServer:
    """Where it is, and what is behind it.

    `url` is its root and `api` the base URL of the API, for ``NEONUP_NEON_NEW_URL``; `key` is the
    default user's, of Neon API v2.
    """

    url: str
    home: Path
    neon: LocalNeon
    key: str

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    @property
    def claimable(self) -> str:
        """The root of Claimable Neon's API, for ``CLAIMABLE_NEON_HOST``."""
        return self.url.replace("127.0.0.1", "localhost")

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs to use it."""
        return {"NEONUP_PROVIDER": "neon.new", "NEONUP_NEON_NEW_URL": self.api}

    @property
    def ids(self) -> list[str]:
        """Of the databases that are there."""
        known = self.neon.store.all(ClaimableDatabase)
        return [one.id for one in known if self.neon.store.get(Project, one.project_id)]

    def claim(self, name: str) -> str:
        """Make a database the default user's, and return its new URL."""
        answer = asking.post(
            f"{self.url}/neonup/claim", json={"id": name}, headers=self.authorization
        )
        assert answer.status_code == 200, answer.text
        return self.owned_url(answer.json()["neon_project_id"])

    def owned_url(self, project_id: str) -> str:
        """What the default user's API says of a project."""
        answer = asking.get(
            f"{self.url}/api/v2/projects/{project_id}/connection_uri",
            params={"role_name": "neondb_owner", "database_name": "neondb"},
            headers=self.authorization,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["uri"])

    def let_expire(self, name: str) -> None:
        """End a database's time, as if 72 hours had passed."""
        past = self.neon.clock.now() - timedelta(minutes=1)
        self.neon.store.update(ClaimableDatabase, name, setting(expires_at=past))
        neon_new.expire(self.neon)

    @property
    def authorization(self) -> dict[str, str]:
        """The header of the default user's key."""
        return {"Authorization": f"Bearer {self.key}"}


@contextmanager
def serving(home: Path) -> Iterator[NeonNewServer]:
    """Serve until the end of the block; its servers stop then."""
    with neon.serving(home) as server:
        url = server.base.removesuffix("/api/v2").replace("localhost", "127.0.0.1")
        yield NeonNewServer(url, home, server.neon, server.key)
