"""Who asks and where: what is given, the environment, and the official command's sign-in."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from neonup.errors import NeonupError, SettingsError
from neonup_cloud import AsyncNeonClient, NeonClient
from neonup_cloud.api import access
from neonup_cloud.api.stored import StoredAuth
from tests.cloud.hostile import Reply, hostile
from tests.emulator.official_commands import CLI, NODE
from tests.emulator.serving import NeonServer
from tests.project import clean_environ
from tests.waiting import wait_until

LATER = int((time.time() + 3600) * 1000)
EARLIER = int((time.time() - 3600) * 1000)
SESSION = {"access_token": "session-token", "refresh_token": "refresh-token", "expires_at": LATER}
KEY = {"type": "api_key", "api_key": "napi_stored"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Of somebody who has nothing."""
    return {"HOME": str(tmp_path), "NEONUP_HOME": str(tmp_path / "neonup")}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def header(auth: httpx.Auth) -> str:
    """What a request gets."""
    request = next(auth.sync_auth_flow(httpx.Request("GET", access.BASE)))
    return request.headers["authorization"].removeprefix("Bearer ")


def test_where() -> None:
    assert access.base_url(None, {}) == access.BASE
    assert access.base_url(None, {"NEON_API_HOST": " http://localhost:1/api/v2/ "}) == (
        "http://localhost:1/api/v2"
    )
    assert access.base_url("http://a/api/v2", {"NEON_API_HOST": "http://b"}) == "http://a/api/v2"
    for wrong in (
        "ftp://a",
        "a",
        "http://",
        "http://u:p@a",
        "http://a?b=c",
        "http://[",
        "http://a:0",
    ):
        with pytest.raises(SettingsError) as failure:
            access.base_url(wrong)
        assert "u:p" not in str(failure.value)


def test_which_organization_and_project() -> None:
    assert access.org_id(None, {}) is access.project_id(None, {}) is None
    environ = {"NEON_ORG_ID": "org-1", "NEON_PROJECT_ID": "project-1"}
    assert (access.org_id(None, environ), access.project_id(None, environ)) == (
        "org-1",
        "project-1",
    )
    assert (access.org_id("o", environ), access.project_id("p", environ)) == ("o", "p")


def test_a_key_given_comes_before_the_environment(environ: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / ".config" / "neon" / "credentials.json", KEY)
    environ["NEON_API_KEY"] = "napi_environment"
    assert header(access.auth("napi_given", environ)) == "napi_given"
    assert header(access.auth(None, environ)) == "napi_environment"
    del environ["NEON_API_KEY"]
    assert header(access.auth(None, environ)) == "napi_stored"


@pytest.mark.parametrize("key", ["napi\nx", "napi x", "näpi"])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(SettingsError) as failure:
        access.auth(key, {})
    assert key not in str(failure.value)


def test_nobody(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="No key"):
        access.auth(None, environ)
    with pytest.raises(SettingsError, match="No key"):
        access.auth(None, {"NEONUP_HOME": environ["NEONUP_HOME"]})


@pytest.mark.parametrize("folder", [".config/neon", ".config/neonctl"])
@pytest.mark.parametrize(("content", "token"), [(KEY, "napi_stored"), (SESSION, "session-token")])
def test_the_official_sign_in(
    environ: dict[str, str], tmp_path: Path, folder: str, content: Any, token: str
) -> None:
    path = write(tmp_path / folder / "credentials.json", content)
    before = path.read_bytes()
    assert header(access.auth(None, environ)) == token
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["credentials.json"]


def test_profiles(environ: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    write(folder / "credentials.json", KEY)
    write(folder / "credentials.work.json", SESSION)
    profiles: dict[str, Any] = {"work": {"credentials": "credentials.work.json"}}
    write(folder / "profiles.json", {"version": 1, "profiles": profiles})
    environ["NEON_CONFIG_DIR"] = str(folder)
    assert header(access.auth(None, environ)) == "napi_stored"
    environ["NEON_PROFILE"] = "work"
    assert header(access.auth(None, environ)) == "session-token"
    environ["NEON_PROFILE"] = "nobody"
    with pytest.raises(SettingsError, match="nobody"):
        access.auth(None, environ)
    profiles["DEFAULT"] = {"credentials": "keyring"}
    write(folder / "profiles.json", {"version": 1, "profiles": profiles})
    del environ["NEON_PROFILE"]
    with pytest.raises(SettingsError, match="keyring"):
        access.auth(None, environ)
    write(folder / "profiles.json", "{")
    with pytest.raises(SettingsError, match="damaged"):
        access.auth(None, environ)


def test_a_folder_that_is_named_is_the_only_one(environ: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / ".config" / "neon" / "credentials.json", KEY)
    environ["NEON_CONFIG_DIR"] = str(tmp_path / "empty")
    with pytest.raises(SettingsError, match="No key"):
        access.auth(None, environ)


def test_what_is_for_neon_goes_nowhere_else(environ: dict[str, str], tmp_path: Path) -> None:
    path = write(tmp_path / ".config" / "neon" / "credentials.json", KEY)
    there = "http://localhost:5540/api/v2"
    with pytest.raises(SettingsError, match="No key"):
        access.auth(None, environ, base=there)
    environ["NEON_CONFIG_DIR"] = str(path.parent)
    assert header(access.auth(None, environ, base=there)) == "napi_stored"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (SESSION | {"expires_at": EARLIER}, "ended"),
        ({"access_token": "session-token"}, "ended"),
        (SESSION | {"expires_at": "soon"}, "ended"),
        ({"refresh_token": "refresh-token", "expires_at": LATER}, "access_token"),
        ({"type": "api_key", "session": "session-token"}, "api_key"),
        ({"type": "passkey", "api_key": "session-token"}, "not known"),
        (SESSION | {"access_token": "session\ntoken"}, "access_token"),
        ("{'session-token'", "damaged"),
        ("[]", "damaged"),
    ],
)
def test_an_official_sign_in_that_cannot_be_used(
    environ: dict[str, str], tmp_path: Path, content: Any, word: str
) -> None:
    write(tmp_path / ".config" / "neon" / "credentials.json", content)
    with pytest.raises(SettingsError, match=word) as failure:
        access.auth(None, environ)
    shown = str(failure.value) + repr(failure.value)
    assert "session" not in shown.replace("session that", "")
    assert "refresh-token" not in shown


def test_a_session_that_ends_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    answer = Reply(200, {"id": "u", "email": "e@example.com"})
    with (
        hostile(answer) as server,
        NeonClient(base_url=server.base, auth=StoredAuth(path)) as neon,
    ):
        soon = time.time() + 3  # seconds, in which the next two requests are surely sent
        write(path, SESSION | {"expires_at": int(soon * 1000)})
        neon.users.me()
        later = soon + 3
        write(path, SESSION | {"access_token": "renewed", "expires_at": int(later * 1000)})
        neon.users.me()
        wait_until(lambda: time.time() > soon, "the first session's end")
        neon.users.me()
        wait_until(lambda: time.time() > later, "the second session's end")
        with pytest.raises(SettingsError, match="ended"):
            neon.users.me()
        assert server.keys == ["Bearer session-token"] * 2 + ["Bearer renewed"]


@pytest.mark.skipif(NODE is None or not CLI.exists(), reason="the official command is not here")
@pytest.mark.parametrize("profile", [None, "work"])
def test_what_the_official_command_itself_stores(
    neon_server_here: NeonServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    profile: str | None,
) -> None:
    assert NODE
    folder = tmp_path / "official"
    environ = {**clean_environ(tmp_path), "NEON_API_HOST": neon_server_here.base}
    name = profile or "DEFAULT"
    command = ["profile", "create", name, "--api-key", neon_server_here.key]
    done = subprocess.run(
        [NODE, str(CLI), "--no-analytics", "--config-dir", str(folder), *command],
        env=environ,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    before = {one: one.read_bytes() for one in folder.iterdir()}
    monkeypatch.setenv("NEON_CONFIG_DIR", str(folder))
    monkeypatch.setenv("NEONUP_HOME", str(tmp_path / "neonup"))
    if profile:
        monkeypatch.setenv("NEON_PROFILE", profile)
    with NeonClient(base_url=neon_server_here.base) as neon:
        assert "@" in neon.users.me().email
    assert {one: one.read_bytes() for one in folder.iterdir()} == before


@pytest.mark.parametrize("kind", [NeonClient, AsyncNeonClient])
def test_a_client_without_a_key_is_not_made(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NEONUP_HOME", str(tmp_path / "neonup"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(NeonupError, match="No key"):
        kind()


def test_the_import_is_light() -> None:
    """A blocking client needs no event loop, and a key no OAuth."""
    code = "import sys, neonup_cloud; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"asyncio", "authlib", "keyring"}.isdisjoint(done.stdout.split())
