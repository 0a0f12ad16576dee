"""Where a sign-in is kept: in a keyring, else in a file that nobody else can read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.oauth.terminal import Terminal, mode, secrets_of

KEYRING = '''
"""A keyring that is a file."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend

FILE = Path(os.environ["KEYRING_FILE"])


class Keyring(KeyringBackend):
    priority = 5
    name = "file keyring"

    def _all(self):
        if os.environ.get("KEYRING_LOCKED"):
            raise RuntimeError("locked: secret-of-the-backend")
        return json.loads(FILE.read_text()) if FILE.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")

    def set_password(self, service, username, password):
        if len(password) > int(os.environ.get("KEYRING_LIMIT", "100000")):
            raise ValueError("too long")
        FILE.write_text(json.dumps({**self._all(), f"{service} {username}": password}))

    def delete_password(self, service, username):
        FILE.write_text(json.dumps({k: v for k, v in self._all().items() if username not in k}))
'''


@pytest.fixture
def keyring(terminal: Terminal, tmp_path: Path) -> Path:
    """What is in the keyring of the terminal's machine."""
    folder = tmp_path / "backend"
    folder.mkdir()
    (folder / "file_keyring.py").write_text(KEYRING)
    found = tmp_path / "keyring.json"
    terminal.environ |= {
        "PYTHONPATH": str(folder),
        "PYTHON_KEYRING_BACKEND": "file_keyring.Keyring",
        "KEYRING_FILE": str(found),
    }
    return found


def entries(keyring: Path) -> list[Any]:
    return [json.loads(one) for one in json.loads(keyring.read_text()).values()]


def test_in_a_keyring(terminal: Terminal, keyring: Path) -> None:
    assert "file keyring" in terminal.sign_in()
    (first,) = entries(keyring)
    assert terminal.kept["tokens"] is None
    assert first["access_token"] not in terminal.file.read_text()
    terminal.forget(first["access_token"])
    assert "file keyring" in terminal.ok("auth", "status")
    (second,) = entries(keyring)
    assert second["refresh_token"] != first["refresh_token"]
    terminal.ok("auth", "logout")
    assert entries(keyring) == []
    assert terminal.grants == []


def test_in_a_keyring_that_takes_nothing_so_long(terminal: Terminal, keyring: Path) -> None:
    terminal.environ["KEYRING_LIMIT"] = "10"
    assert str(terminal.home) in terminal.sign_in()
    assert terminal.kept["tokens"]["access_token"]
    assert mode(terminal.file) == 0o600
    assert terminal.person.email in terminal.ok("auth", "status")


def test_in_a_locked_keyring(terminal: Terminal, keyring: Path) -> None:
    terminal.sign_in()
    said = terminal.fails("auth", "status", KEYRING_LOCKED="1")
    assert "keyring" in said
    assert "secret-of-the-backend" not in said
    assert terminal.person.email in terminal.ok("auth", "status")
    done = terminal.neonup("auth", "logout", KEYRING_LOCKED="1")
    assert done.returncode == 0
    assert "not revoked" in done.stderr
    assert "Nobody is signed in" in terminal.fails("auth", "status")


def test_the_keyring_is_not_asked_where_nobody_is_signed_in(
    terminal: Terminal, keyring: Path
) -> None:
    done = terminal.python(
        "import sys\nfrom neonup_cloud import NeonClient\n"
        "try: NeonClient()\nexcept Exception as error: print(error)\n"
        "print([one for one in ('keyring', 'authlib', 'joserfc') if one in sys.modules])"
    )
    assert "neonup auth login" in done.stdout
    assert done.stdout.strip().endswith("[]")


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_can_read(terminal: Terminal, open_to: int) -> None:
    terminal.sign_in()
    terminal.file.chmod(open_to)
    for command in (("auth", "status"),):
        said = terminal.fails(*command)
        assert f"chmod 600 {terminal.file}" in said
        assert f"{open_to:04o}" in said
        assert not [one for one in secrets_of(terminal.kept) if one in said]
    terminal.file.chmod(0o600)
    assert terminal.person.email in terminal.ok("auth", "status")


def test_a_file_that_others_can_read_is_signed_out(terminal: Terminal) -> None:
    terminal.sign_in()
    terminal.file.chmod(0o644)
    terminal.ok("auth", "logout")
    assert terminal.grants == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_somebody_else(terminal: Terminal) -> None:
    terminal.sign_in()
    os.chown(terminal.file, 65534, -1)
    assert "another user" in terminal.fails("auth", "status")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"email": 1, "client_id": 2, "oauth_host": 3, "keyring": 4}'],
)
def test_a_damaged_file(terminal: Terminal, content: str) -> None:
    terminal.sign_in()
    terminal.file.write_text(content)
    said = terminal.fails("auth", "status")
    assert "damaged" in said
    assert "neonup auth login" in said
    terminal.sign_in()
    assert terminal.person.email in terminal.ok("auth", "status")


def test_a_damaged_file_is_signed_out(terminal: Terminal) -> None:
    terminal.sign_in()
    terminal.file.write_text("{")
    done = terminal.neonup("auth", "logout")
    assert done.returncode == 0
    assert "not revoked" in done.stderr
    assert "Nobody is signed in" in terminal.fails("auth", "status")


def test_signed_out_though_neon_does_not_answer(terminal: Terminal) -> None:
    terminal.sign_in()

    def away(kept: Any) -> None:
        kept["oauth_host"] = "http://127.0.0.1:9"

    terminal.change(away)
    done = terminal.neonup("auth", "logout", "--json")
    assert json.loads(done.stdout) == {"signed_in": False, "revoked": False}
    assert "not revoked" in done.stderr
    assert "Nobody is signed in" in terminal.fails("auth", "status")


def test_a_key_is_used_before_a_sign_in(terminal: Terminal, tmp_path: Path) -> None:
    terminal.sign_in()
    terminal.file.chmod(0o644)  # not even looked at
    done = terminal.python(
        "from neonup_cloud import NeonClient\n"
        "print(NeonClient().request('GET', '/users/me')['email'])",
        NEON_API_KEY=terminal.person.key,
    )
    assert done.stdout.strip() == terminal.person.email
