"""A local neon.new in this process: the application of `neonup serve`, on a free port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import uvicorn

from neonup_local.api.app import create_app
from neonup_local.service.claims import LIFETIME, Claims
from neonup_local.service.databases import Databases


@dataclass(frozen=True)
class NeonNewServer:
    """Where it is, and what is behind it.

    `url` is its root and `api` the base URL of the API, for ``NEONUP_NEON_NEW_URL``.
    """

    url: str
    home: Path
    databases: Databases
    claims: Claims

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs to use it."""
        return {"NEONUP_PROVIDER": "neon.new", "NEONUP_NEON_NEW_URL": self.api}

    def let_expire(self, name: str) -> None:
        """End a database's time, as if 72 hours had passed."""
        record = self.databases.get(name)
        assert record is not None
        past = {"expires_at": "2026-01-01T00:00:00+00:00"}
        self.databases.update(record, service={**record.service, **past})
        self.claims.expire()


@contextmanager
def serving(home: Path, *, lifetime: timedelta = LIFETIME) -> Iterator[NeonNewServer]:
    """Serve until the end of the block; its databases stop then."""
    databases = Databases(home)
    claims = Claims(databases, home, lifetime=lifetime)
    claims.prepare()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            create_app(claims, expiry_interval=0.2), log_config=None, access_log=False, ws="none"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline
            time.sleep(0.005)
        port = listener.getsockname()[1]
        try:
            yield NeonNewServer(f"http://127.0.0.1:{port}", home, databases, claims)
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()
