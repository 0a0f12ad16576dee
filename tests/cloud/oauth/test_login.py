"""``neonup auth login|status|logout`` as processes, against the local Neon."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests import asking
from tests.cloud.oauth.terminal import Terminal, mode, secrets_of
from tests.docs import answers
from tests.emulator.oauth import root_of
from tests.waiting import wait_until


def test_sign_in_use_and_sign_out(terminal: Terminal) -> None:
    said = terminal.sign_in()
    assert terminal.person.email in said
    assert str(terminal.file) in said
    assert mode(terminal.file) == 0o600
    assert mode(terminal.file.parent) == 0o700
    assert (
        terminal.asks("print(neon.request('GET', '/users/me')['email'])") == terminal.person.email
    )
    assert terminal.person.email in terminal.ok("auth", "status")
    assert len(terminal.grants) == 1

    assert terminal.person.email in terminal.ok("auth", "logout")
    assert terminal.grants == []
    assert not list((terminal.home / "auth").glob("*.json"))
    assert "Nobody is signed in" in terminal.fails("auth", "status")
    assert "Nobody was signed in" in terminal.ok("auth", "logout")


def test_what_is_asked_for(terminal: Terminal) -> None:
    with terminal.login() as login:
        asked = {name: value[0] for name, value in parse_qs(urlsplit(login.url).query).items()}
        asked_at = login.url.partition("?")[0]
    assert asked_at.endswith("/oauth2/auth")
    assert asked["client_id"] == "neonctl"
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 40
    assert len(asked["nonce"]) >= 40
    assert "offline_access" in asked["scope"].split()
    assert urlsplit(asked["redirect_uri"]).hostname == "127.0.0.1"


def test_json(terminal: Terminal) -> None:
    answer = json.loads(terminal.sign_in("--json"))
    answers.check(("auth", "login"), answer)
    expected = {
        "signed_in": True,
        "email": terminal.person.email,
        "oauth_host": root_of(terminal.server),
        "client_id": "neonctl",
        "kept_in": str(terminal.file),
    }
    assert answer == expected
    assert terminal.json("auth", "status") == expected
    assert terminal.json("auth", "logout") == {"signed_in": False, "revoked": True}
    done = terminal.neonup("auth", "status", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["signed_in"] is False


def test_nothing_secret_is_said(terminal: Terminal) -> None:
    with terminal.login() as login:
        back = terminal.back(login.url)
        asking.get(back)
        said = login.ends(0) + login.said
    hidden = [*secrets_of(terminal.kept), parse_qs(urlsplit(back).query)["code"][0]]
    said += terminal.ok("auth", "status")
    said += terminal.asks(
        "import logging; logging.basicConfig(level=1, stream=__import__('sys').stdout)\n"
        "from neonup_cloud.oauth.account import AccountStore\n"
        "from neonup.settings import home\n"
        "store = AccountStore(home(), neon.api.base)\n"
        "print(store.load(), store.signed_in(), neon.sender._more)\n"
        "neon.request('GET', '/users/me')"
    )
    assert not [one for one in hidden if one in said]


def test_a_second_sign_in_revokes_the_first(terminal: Terminal) -> None:
    terminal.sign_in()
    (first,) = terminal.grants
    terminal.sign_in()
    (second,) = terminal.grants
    assert first.id != second.id


def test_another_application(terminal: Terminal) -> None:
    from neonup_emulator.neon.oauth import clients

    made, _ = clients.register(
        terminal.server.neon, "Ours", ["http://127.0.0.1/callback"], public=True
    )
    terminal.environ["NEONUP_OAUTH_CLIENT_ID"] = made.id
    terminal.sign_in()
    assert [one.client_id for one in terminal.grants] == [made.id]
    del terminal.environ["NEONUP_OAUTH_CLIENT_ID"]  # what it was signed in with goes on
    terminal.let_expire()
    assert terminal.person.email in terminal.ok("auth", "status")


def test_a_sign_in_is_for_one_api(terminal: Terminal) -> None:
    terminal.sign_in()
    said = terminal.fails("auth", "status", NEON_API_HOST="http://127.0.0.1:9/api/v2")
    assert "Nobody is signed in" in said


def test_consent_denied(terminal: Terminal) -> None:
    with terminal.login() as login:
        page = asking.get(terminal.back(login.url, "deny"))
        assert "Nobody was signed in" in page.text
        assert "did not allow" in login.ends(1)
    assert not (terminal.home / "auth").exists()


def test_an_answer_to_another_question(terminal: Terminal) -> None:
    with terminal.login() as login:
        back = httpx.URL(terminal.back(login.url)).copy_merge_params({"state": "another"})
        asking.get(back)
        assert "does not belong" in login.ends(1)
    assert not (terminal.home / "auth").exists()


def test_a_code_that_is_none(terminal: Terminal) -> None:
    with terminal.login() as login:
        asking.get(httpx.URL(terminal.back(login.url)).copy_merge_params({"code": "none"}))
        assert "invalid_grant" in login.ends(1)


def test_nobody_comes(terminal: Terminal) -> None:
    with terminal.login("--timeout", "1") as login:
        assert "within 1 seconds" in login.ends(1)


def test_other_addresses_change_nothing(terminal: Terminal) -> None:
    with terminal.login() as login:
        back = terminal.back(login.url)
        root = back.partition("/callback")[0]
        assert asking.get(f"{root}/favicon.ico").status_code == 404
        assert asking.get(f"{root}/callback").status_code == 404
        with socket.create_connection(("127.0.0.1", httpx.URL(root).port or 0)):
            assert "terminal" in asking.get(back).text  # though the other connection says nothing
            login.ends(0)


def test_a_port_of_ones_own(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with terminal.login("--port", port) as login:
            assert f"Port {port}" in login.ends(1)
    with terminal.login("--port", port) as login:
        assert f"127.0.0.1%3A{port}" in login.url


def test_interrupted(terminal: Terminal) -> None:
    with terminal.login() as login:
        assert login.url
        login.process.send_signal(signal.SIGINT)
        assert "Aborted" in login.ends(1)
    assert not (terminal.home / "auth").exists()


def test_the_browser_is_opened(terminal: Terminal, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    master, terminal_device = os.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "neonup", "auth", "login"],
            cwd=terminal.folder,
            env={**terminal.environ, "BROWSER": str(browser)},
            stdin=terminal_device,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wait_until(lambda: opened.exists() or process.poll() is not None, "the browser")
            asking.get(terminal.back(opened.read_text()))
            answer, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert terminal.person.email in answer
    finally:
        os.close(master)
        os.close(terminal_device)


def test_without_a_terminal(terminal: Terminal) -> None:
    said = terminal.fails("auth", "login")
    assert "no terminal" in said
    assert "NEON_API_KEY" in said


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("http://oauth.example", "https"),
        ("nonsense", "cannot be used"),
        ("http://127.0.0.1:9", "cannot be reached"),
    ],
)
def test_a_server_that_is_none(terminal: Terminal, host: str, what: str) -> None:
    said = terminal.fails("auth", "login", "--no-open", NEON_OAUTH_HOST=host)
    assert what in said


def test_a_server_that_is_named(terminal: Terminal) -> None:
    root = root_of(terminal.server).replace("localhost", "127.0.0.1")
    with terminal.login(NEON_OAUTH_HOST=root) as login:
        asking.get(terminal.back(login.url))
        login.ends(0)


def test_without_the_extra(terminal: Terminal) -> None:
    (terminal.folder / "authlib").mkdir()
    (terminal.folder / "authlib" / "__init__.py").write_text("raise ImportError(name='authlib')")
    said = terminal.fails("auth", "login", "--no-open", PYTHONPATH=str(terminal.folder))
    assert 'pip install "neonup[cloud]"' in said
