"""The example applications: each browser gets a database of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import asking
from tests.emulator.serving import NeonServer
from tests.fastapi.served import UVICORN
from tests.postgres import free_port
from tests.project import clean_environ
from tests.waiting import wait_until

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
COMMANDS = {
    "fastapi_platform": (*UVICORN, "--port"),
    "django_platform": ("databases", "runserver", "--noreload"),
}


@contextmanager
def site(name: str, server: NeonServer, folder: Path, prefix: str) -> Iterator[str]:
    """The address of an example, until the end of the block; its fleet is the test's own."""
    there = shutil.copytree(EXAMPLES / name, folder / name)
    port, log = free_port(), folder / "log"
    environ = clean_environ(folder / "home", **server.environment, NEONUP_FLEET_PREFIX=prefix)
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[name], str(port)],
            cwd=there,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            root = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(root) or process.poll() is not None, "the site")
            assert process.poll() is None, log.read_text()
            yield root
        finally:
            process.terminate()
            process.wait(120)


def answers(root: str) -> bool:
    try:
        return asking.get(f"{root}/database").status_code == 404
    except httpx.TransportError:
        return False


class Browser(httpx.Client):
    """Keeps cookies, and sends Django's token with what changes something."""

    def ask(self, method: str, path: str) -> httpx.Response:
        token = self.cookies.get("csrftoken") or ""
        return self.request(method, f"/database{path}", headers={"X-CSRFToken": token})


@pytest.mark.parametrize("name", COMMANDS)
def test_a_users_database(
    name: str, neon_server_here: NeonServer, tmp_path: Path, prefix: str
) -> None:
    with (
        site(name, neon_server_here, tmp_path, prefix) as root,
        Browser(base_url=root, timeout=60) as anna,
        Browser(base_url=root, timeout=60) as ben,
    ):
        assert {one.ask("GET", "").status_code for one in (anna, ben)} == {404}
        assert anna.ask("POST", "").json() == {"tier": "free", "created": True}
        assert anna.ask("POST", "").json() == {"tier": "free", "created": False}
        ben.ask("POST", "")
        urls = [one.ask("GET", "/url").json()["url"] for one in (anna, ben)]
        assert urls[0] != urls[1]
        with psycopg.connect(urls[0]) as connection:
            connection.execute("CREATE TABLE annas (n int)")
        assert anna.ask("GET", "").json()["tier"] == "free"
        assert anna.ask("DELETE", "").json()["due"]
        refused = anna.ask("POST", "")
        assert (refused.status_code, refused.json()) == (
            409,
            {"error": "fleet_deletion_pending"},
        )
        assert anna.ask("POST", "/keep").json() == {"lifecycle": "active"}
        with psycopg.connect(urls[0]) as connection:
            connection.execute("SELECT n FROM annas")
