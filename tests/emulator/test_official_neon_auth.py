"""The official command `neon` (npm) signed in with OAuth: its browser is a real Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from neonup_emulator.neon.oauth.model import OAuthGrant
from tests import browser as browsers
from tests.browser import Browser, chromium
from tests.emulator.oauth import Person, root_of
from tests.emulator.serving import NeonServer
from tests.project import clean_environ

CLIENTS = Path(__file__).parent.parent / "clients"
CLI = CLIENTS / "node_modules" / "neon" / "dist" / "cli.js"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the official command needs it"),
    pytest.mark.skipif(
        not CLI.exists(), reason="the official command is not installed: npm ci in tests/clients"
    ),
    pytest.mark.skipif(not browsers.CHROMIUM, reason="Chromium is not installed"),
]


class Neon:
    """The command, as somebody types it who has no key; it says where its browser should go."""

    def __init__(self, server: NeonServer, folder: Path, browser: Browser, person: Person):
        self._folder = folder
        self._browser = browser
        self._person = person
        self._signed_in = False
        self._environ = {
            **clean_environ(folder),
            "NEON_API_HOST": server.base,
            "NEON_OAUTH_HOST": root_of(server),
            "BROWSER": "true",  # the program of that name, which does nothing
        }

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        with self._running(*arguments) as running:
            said, complained = running.communicate(timeout=120)
        assert (running.returncode != 0) == fails, said + complained
        return complained if fails else said

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def with_browser(self, *arguments: str, press: str = "allow") -> str:
        """A command that sends its user to the browser; what it says then."""
        with self._running(*arguments) as running:
            assert running.stderr
            said = ""
            while not (found := re.search(r"Auth Url: (\S+)", said)):
                line = running.stderr.readline()
                assert line, said
                said += line
            self._browser.open(found[1])
            if not self._signed_in:
                self._signed_in = True
                script = f"document.getElementById('key').value = {self._person.key!r}"
                self._browser.run(script)
                self._browser.press("main form button")
            assert "Neon CLI" in self._browser.text("h1")
            self._browser.press(f"button[value={press}]")
            _, rest = running.communicate(timeout=60)
        assert (running.returncode == 0) == (press == "allow"), said + rest
        return said + rest

    @property
    def credentials(self) -> Path:
        return self._folder / "credentials.json"

    @contextmanager
    def _running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        assert NODE
        with subprocess.Popen(
            [NODE, str(CLI), "--no-analytics", "--config-dir", str(self._folder), *arguments],
            cwd=self._folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            try:
                yield running
            finally:
                running.kill()


@pytest.fixture
def neon(neon_server_here: NeonServer, tmp_path: Path, person: Person) -> Iterator[Neon]:
    folder = tmp_path / "config"
    folder.mkdir()
    with chromium(tmp_path / "profile") as browser:
        yield Neon(neon_server_here, folder, browser, person)


def test_auth_refresh_and_profile_remove(
    neon: Neon, person: Person, neon_server_here: NeonServer
) -> None:
    server = neon_server_here.neon
    said = neon.with_browser("auth")
    assert "Auth complete" in said
    first = json.loads(neon.credentials.read_text())
    assert set(first["scope"].split()) >= {"openid", "offline_access"}
    assert first["user_id"] == person.user.id
    assert person.email in neon("me")
    created = neon.json("projects", "create", "--name", "by-oauth")["project"]["id"]
    listed = neon.json("projects", "list", "--org-id", person.organization.id)
    assert [one["id"] for one in listed] == [created]

    server.clock.ahead += timedelta(hours=2)  # the access token is over, and it is refreshed
    try:
        assert person.email in neon("me")
        second = json.loads(neon.credentials.read_text())
        assert second["access_token"] != first["access_token"]
        assert second["refresh_token"] != first["refresh_token"]
        neon("projects", "delete", created)
    finally:
        server.clock.ahead -= timedelta(hours=2)

    assert grants(server, person) == 1
    neon("profile", "remove", "DEFAULT", "--yes")
    assert grants(server, person) == 0
    assert not neon.credentials.exists()


def test_a_profile_with_a_minted_key_leaves_no_session(
    neon: Neon, person: Person, neon_server_here: NeonServer
) -> None:
    neon.with_browser("profile", "create", "ci", "--mint")
    assert grants(neon_server_here.neon, person) == 0
    assert person.email in neon("me", "--profile", "ci")
    neon("profile", "remove", "ci", "--yes")
    assert [one.name for one in neon_server_here.neon.identity.keys(user=person.user)] == ["own"]


def test_a_no_leaves_nothing(neon: Neon, person: Person, neon_server_here: NeonServer) -> None:
    neon.with_browser("auth", press="deny")
    assert grants(neon_server_here.neon, person) == 0
    assert not neon.credentials.exists()


def grants(server: Any, person: Person) -> int:
    return sum(one.user_id == person.user.id for one in server.store.all(OAuthGrant))
