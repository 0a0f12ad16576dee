"""The example applications as their users meet them: registered, and served."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from neonup_emulator.neon.oauth import clients
from tests import asking
from tests.emulator.oauth import root_of
from tests.emulator.serving import NeonServer
from tests.fastapi.served import UVICORN
from tests.postgres import free_port
from tests.project import clean_environ
from tests.waiting import wait_until

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
COMMANDS = {
    "fastapi_account": (*UVICORN, "--port"),
    "django_account": ("projects", "runserver", "--noreload"),
}


@dataclass(frozen=True)
class Site:
    """A running application.

    Args:
        root: its address.
        tokens: the folder where it keeps its users' tokens.
        log: what it says.
    """

    root: str
    tokens: Path
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()


@contextmanager
def site(name: str, server: NeonServer, folder: Path, **environ: str) -> Iterator[Site]:
    """One of the examples, until the end of the block."""
    port = free_port()
    found = Site(f"http://127.0.0.1:{port}", folder / "tokens", folder / "log")
    callback = f"{found.root}/neon/callback"
    client, secret = clients.register(server.neon, name, [callback])
    assert secret
    environment = {
        **clean_environ(folder / "home"),
        "NEON_API_HOST": server.base,
        "NEON_OAUTH_HOST": root_of(server),
        "NEON_CLIENT_ID": client.id,
        "NEON_CLIENT_SECRET": secret,
        "CALLBACK": callback,
        "TOKENS": str(found.tokens),
        "PYTHONDONTWRITEBYTECODE": "1",
        **environ,
    }
    with (
        found.log.open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[name], str(port)],
            cwd=EXAMPLES / name,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_until(lambda: process.poll() is not None or _answers(found.root), name)
            assert process.poll() is None, found.said
            yield found
        finally:
            process.kill()


def _answers(root: str) -> bool:
    try:
        return asking.get(root).status_code < 500
    except httpx.TransportError:
        return False


class Visitor:
    """A browser without scripts, of somebody at an example."""

    def __init__(self, found: Site):
        self.client = asking.client(base_url=found.root, follow_redirects=False, timeout=60)

    def press(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the first page, with Django's token if there is one."""
        page = self.client.get("/").text
        if token := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page):
            fields["csrfmiddlewaretoken"] = token[1]
        return self.client.post(path, data=fields)
