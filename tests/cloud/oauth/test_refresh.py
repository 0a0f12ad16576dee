"""Access tokens that end: refreshed once, by one process, and no refresh token lost."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from neonup_cloud import AsyncNeonClient, NeonClient
from neonup_cloud.oauth import FileTokens, SignInEnded, session_auth
from tests.cloud.oauth.terminal import Terminal, secrets_of
from tests.cloud.oauth.wire import Wire, wire
from tests.emulator.serving import NeonServer
from tests.waiting import PATIENCE

ME = "print(neon.request('GET', '/users/me')['email'])"
SESSION = """
from neonup_cloud import NeonClient
neon = NeonClient()
print(neon.request("GET", "/users/me")["email"])
"""


def test_before_its_end(terminal: Terminal) -> None:
    terminal.sign_in()
    before = secrets_of(terminal.kept)
    terminal.let_expire()
    assert terminal.asks(ME) == terminal.person.email
    after = secrets_of(terminal.kept)
    assert not {*before} & {*after}
    assert terminal.kept["tokens"]["expires_at"] > time.time() + 3000
    assert terminal.asks(ME) == terminal.person.email
    assert secrets_of(terminal.kept) == after


def test_in_the_middle_of_a_command(terminal: Terminal) -> None:
    terminal.sign_in()
    with terminal.starts(
        "import sys\nfrom neonup_cloud import NeonClient\nneon = NeonClient()\n"
        "print(neon.request('GET', '/users/me')['email'], flush=True)\n"
        "sys.stdin.readline()\n"
        "print(neon.projects.create(name='late').project.name)\n",
        interactive=True,
    ) as running:
        assert running.stdin and running.stdout
        assert running.stdout.readline().strip() == terminal.person.email
        first = secrets_of(terminal.kept)[0]
        terminal.forget(first)
        answer, said = running.communicate("\n", timeout=60)
    assert answer.strip() == "late", said
    assert secrets_of(terminal.kept)[0] != first
    assert len(list(terminal.person.api.ok("GET", "/projects")["projects"])) == 1


def test_awaited(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, neon_server_here: NeonServer
) -> None:
    terminal.sign_in()
    monkeypatch.setenv("NEONUP_HOME", str(terminal.home))
    terminal.let_expire()

    async def ask() -> list[Any]:
        async with AsyncNeonClient(base_url=neon_server_here.base) as neon:
            alive = asyncio.create_task(asyncio.sleep(0))
            several = [neon.request("GET", "/users/me") for _ in range(5)]
            answers = await asyncio.gather(*several)
            assert alive.done()
            first = secrets_of(terminal.kept)[0]
            terminal.forget(first)
            return [*answers, await neon.request("GET", "/users/me")]

    answers = asyncio.run(ask())
    assert {one["email"] for one in answers} == {terminal.person.email}
    assert len(terminal.grants) == 1


def test_many_processes_at_once(terminal: Terminal) -> None:
    terminal.sign_in()
    terminal.let_expire()
    running = [terminal.starts(SESSION) for _ in range(4)]
    for process in running:
        answer, said = process.communicate(timeout=120)
        assert answer.strip() == terminal.person.email, said
    # Used twice, a refresh token would have ended all of it.
    assert len(terminal.grants) == 1
    assert terminal.asks(ME) == terminal.person.email


def test_threads_of_one_process(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, neon_server_here: NeonServer
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    terminal.sign_in()
    terminal.let_expire()
    monkeypatch.setenv("NEONUP_HOME", str(terminal.home))
    auth = session_auth(neon_server_here.base)

    def ask(_: int) -> Any:
        with NeonClient(base_url=neon_server_here.base, auth=auth) as neon:
            return neon.request("GET", "/users/me")["email"]

    with ThreadPoolExecutor(8) as pool:
        assert {*pool.map(ask, range(8))} == {terminal.person.email}
    assert len(terminal.grants) == 1


def test_revoked_at_the_server(terminal: Terminal) -> None:
    terminal.sign_in()
    terminal.server.neon.store.delete(*terminal.grants)
    said = terminal.fails("auth", "status")
    assert "has ended" in said
    assert "neonup auth login" in said
    assert not [one for one in secrets_of(terminal.kept) if one in said]
    terminal.sign_in()
    assert terminal.asks(ME) == terminal.person.email


def test_the_refresh_token_is_over_as_well(
    terminal: Terminal, neon_server_here: NeonServer
) -> None:
    terminal.sign_in()
    clock = neon_server_here.neon.clock
    clock.ahead += timedelta(days=31)
    try:
        assert "has ended" in terminal.fails("auth", "status")
    finally:
        clock.ahead -= timedelta(days=31)


def test_signed_out_in_the_middle_of_a_command(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, neon_server_here: NeonServer
) -> None:
    terminal.sign_in()
    monkeypatch.setenv("NEONUP_HOME", str(terminal.home))
    with NeonClient(base_url=neon_server_here.base) as neon:
        neon.request("GET", "/users/me")
        terminal.ok("auth", "logout")
        with pytest.raises(SignInEnded):
            neon.request("GET", "/users/me")


@pytest.fixture
def slow(neon_server_here: NeonServer) -> Iterator[Wire]:
    with wire(neon_server_here) as found:
        yield found


def test_interrupted_while_refreshing(terminal: Terminal, slow: Wire) -> None:
    """Ctrl-C after the server has used up the old refresh token: the new one is kept."""
    terminal.sign_in()
    terminal.through(slow)
    terminal.let_expire()
    before = secrets_of(terminal.kept)
    slow.hold("POST /oauth2/token")
    with terminal.starts(SESSION) as running:
        assert slow.held.wait(PATIENCE)
        running.send_signal(signal.SIGINT)
        time.sleep(0.3)
        slow.go_on()
        running.communicate(timeout=60)
    assert running.returncode != 0
    assert not {*before} & {*secrets_of(terminal.kept)}
    assert terminal.asks(ME) == terminal.person.email


def test_killed_while_refreshing(terminal: Terminal, slow: Wire) -> None:
    """No program could have kept the new token; what is there says what to do."""
    terminal.sign_in()
    terminal.through(slow)
    terminal.let_expire()
    slow.hold("POST /oauth2/token")
    with terminal.starts(SESSION) as running:
        assert slow.held.wait(PATIENCE)
        running.kill()
        running.communicate(timeout=60)
    slow.mend()
    said = terminal.fails("auth", "status")
    assert "has ended" in said
    assert "neonup auth login" in said


def test_the_server_does_not_answer(terminal: Terminal, slow: Wire) -> None:
    terminal.sign_in()
    terminal.through(slow)
    terminal.let_expire()
    before = terminal.kept
    slow.cut("POST /oauth2/token", before_it_arrives=True)
    said = terminal.fails("auth", "status")
    assert "did not answer" in said
    assert terminal.kept == before
    slow.mend()
    assert terminal.person.email in terminal.ok("auth", "status")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_server_fails(terminal: Terminal, slow: Wire, status: int) -> None:
    terminal.sign_in()
    terminal.through(slow)
    terminal.let_expire()
    slow.answer("POST /oauth2/token", status, b'{"message": "not now"}')
    assert "OAuth server" in terminal.fails("auth", "status")
    slow.mend()
    assert terminal.person.email in terminal.ok("auth", "status")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"access_token": 7}',
        b'{"access_token": "new", "token_type": "mac"}',
        b'{"error": "invalid_request"}',
    ],
)
def test_an_answer_that_is_none(terminal: Terminal, slow: Wire, body: bytes) -> None:
    terminal.sign_in()
    terminal.through(slow)
    terminal.let_expire()
    before = terminal.kept
    slow.answer("POST /oauth2/token", 200, body)
    assert "OAuth server" in terminal.fails("auth", "status")
    assert terminal.kept == before


def test_a_full_disk_is_found_before(terminal: Terminal, tmp_path: Path) -> None:
    """What can't be written down must not be asked for: the old refresh token would be used up."""
    terminal.sign_in()
    terminal.let_expire()
    before = terminal.kept
    folder = terminal.file.parent
    done = terminal.python(
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n" + SESSION
    )
    assert "cannot be written" in done.stderr
    assert terminal.kept == before
    assert [path.suffix for path in folder.iterdir() if path.suffix == ".tmp"] == []
    assert terminal.asks(ME) == terminal.person.email


def test_a_server_that_does_not_rotate(terminal: Terminal, slow: Wire) -> None:
    terminal.sign_in()
    terminal.through(slow)
    fresh = terminal.kept["tokens"]["access_token"]
    refresh = terminal.kept["tokens"]["refresh_token"]
    terminal.let_expire()
    answer = {"access_token": fresh, "token_type": "bearer", "expires_in": 3600}
    slow.answer("POST /oauth2/token", 200, json.dumps(answer).encode())
    assert terminal.person.email in terminal.ok("auth", "status")
    assert terminal.kept["tokens"]["refresh_token"] == refresh


def test_a_file_of_tokens_for_an_application(tmp_path: Path) -> None:
    assert FileTokens(tmp_path / "none.json").load() is None
