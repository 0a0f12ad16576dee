"""A local Neon in this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from neonup_emulator.api import ws_proxy
from neonup_emulator.api.app import create_app
from neonup_emulator.neon.context import LocalNeon
from tests.cloud.requests_checked import CheckedApp
from tests.waiting import wait_until


@dataclass(frozen=True)
class NeonServer:
    """Where it is, whom its key belongs to, and what is behind it."""

    base: str
    key: str
    org_id: str
    neon: LocalNeon

    @property
    def environment(self) -> dict[str, str]:
        """What Neon's own clients read."""
        return {
            "NEON_API_HOST": self.base,
            "NEON_API_KEY": self.key,
            "NEON_ORG_ID": self.org_id,
        }


@contextmanager
def serving(
    home: Path,
    *,
    pg_bin: Path | None = None,
    patience: float = 30,
    sign_in_seconds: float = ws_proxy.SIGN_IN_SECONDS,
) -> Iterator[NeonServer]:
    """Serve until the end of the block; its servers stop then.

    Args:
        home: neonup's own folder.
        pg_bin: the Postgres that projects have; None: the default.
        patience: seconds that an answer waits for its work; a busy machine takes its time.
        sign_in_seconds: for what a client of the WebSocket sends to sign in.

    Raises:
        AssertionError: neonup sent a request that Neon's OpenAPI document does not allow.
    """
    neon = LocalNeon(home, pg_bin=pg_bin, patience=patience)
    neon.start()
    app = CheckedApp(create_app(neon, sign_in_seconds=sign_in_seconds))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws_max_size=ws_proxy.LARGEST_MESSAGE,
            ws_per_message_deflate=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started or not thread.is_alive(), "the server")
        key, org_id = neon.identity.default()
        try:
            yield NeonServer(
                f"http://localhost:{listener.getsockname()[1]}/api/v2", key, org_id, neon
            )
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()
    assert app.wrong == [], app.wrong
