"""Where a URL leads: compared with where libpq itself goes, and what counts as this machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from neonup import NeonupError, destination
from neonup.clients.psql import find_psql

SERVICES = """
# a comment
[away]
host=127.0.0.61
host=127.0.0.62
port=6
user=somebody

[by-address]
hostaddr=127.0.0.63

[remote]
host=db.example.com
[away]
host=127.0.0.64
"""

REFUSED = re.compile(r'connection to server at "([^"]+)"(?: \(([^)]+)\))?, port (\d+)')
SOCKET = re.compile(r'connection to server on socket "([^"]+)/\.s\.PGSQL\.(\d+)"')

AT = "postgresql://u:p@127.0.0.1:1/d"


@pytest.fixture(autouse=True)
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service file for libpq, and none of the machine's own variables."""
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGSYSCONFDIR"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "services.conf"
    file.write_text(SERVICES)
    monkeypatch.setenv("PGSERVICEFILE", str(file))


def went_to(url: str) -> list[tuple[str, int]]:
    """The servers that libpq tried: nothing listens at any of them."""
    # Not psycopg: it resolves names itself, and overlooks what a service says of the address.
    command = [str(find_psql(AT).path), "--no-psqlrc", "--no-password", "--command=SELECT 1", url]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    tried = [(address or name, int(port)) for name, address, port in REFUSED.findall(text)]
    tried += [(name, int(port)) for name, port in SOCKET.findall(text)]
    assert tried, text
    return sorted(set(tried))


@pytest.mark.parametrize(
    ("url", "variables"),
    [
        (AT, {}),
        (AT, {"PGHOST": "127.0.0.9", "PGPORT": "9"}),
        (AT, {"PGHOSTADDR": "127.0.0.9"}),
        (AT, {"PGHOSTADDR": ""}),
        (f"{AT}?hostaddr=127.0.0.8", {"PGHOSTADDR": "127.0.0.9"}),
        (f"{AT}?hostaddr=", {"PGHOSTADDR": "127.0.0.9"}),
        (f"{AT}?host=127.0.0.7", {}),
        (f"{AT}?port=2", {}),
        ("postgresql://u:p@127.0.0.1/d", {"PGPORT": "9"}),
        ("postgresql://u:p@/d", {"PGHOST": "127.0.0.9", "PGPORT": "9"}),
        ("postgresql:///d", {"PGHOST": "127.0.0.9,127.0.0.10", "PGPORT": "9,10"}),
        ("postgresql:///d", {"PGHOST": "127.0.0.9,127.0.0.10", "PGPORT": "9"}),
        ("postgresql://u:p@:3/d", {"PGHOST": "127.0.0.9"}),
        ("postgresql://u:p@127.0.0.5:1,127.0.0.6:2/d", {"PGHOST": "127.0.0.9"}),
        ("postgresql://u:p@127.0.0.5,127.0.0.6/d?port=7", {}),
        ("postgresql://u:p@127.0.0.5%2C127.0.0.6:1/d", {}),
        ("postgresql://u:p@localhost:1/d?hostaddr=127.0.0.8", {}),
        ("postgresql://u:p@%2Fnonexistent:3/d", {}),
        ("postgresql://u:p@/d?host=/nonexistent&port=3", {}),
        ("postgresql:///d?service=away", {}),
        ("postgresql:///d?service=away", {"PGHOST": "127.0.0.9", "PGPORT": "9"}),
        (f"{AT}?service=away", {}),
        (f"{AT}?service=by-address", {}),
        (AT, {"PGSERVICE": "by-address"}),
        ("postgresql:///d", {"PGSERVICE": "away"}),
        ("postgresql:///d?service=away", {"PGSERVICE": "by-address"}),
    ],
)
def test_it_is_where_libpq_goes(
    url: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    told = {(server.address, server.port) for server in destination.servers(url)}
    assert sorted(told) == went_to(url)


@pytest.mark.parametrize(
    ("url", "variables", "machine"),
    [
        (AT, {}, None),
        ("postgresql://u:p@LocalHost/d", {}, None),
        ("postgresql://u:p@[::1]:1/d", {}, None),
        ("postgresql:///d", {}, None),
        ("postgresql://u:p@%2Fvar%2Frun/d", {}, None),
        ("postgresql:///d?service=away", {}, None),
        (AT, {"PGHOST": "db.example.com"}, None),
        ("postgresql://u:p@db.example.com/d", {}, "db.example.com"),
        (f"{AT}?hostaddr=192.0.2.1", {}, "192.0.2.1"),
        ("postgresql://u:p@db.example.com/d?hostaddr=127.0.0.1", {}, "db.example.com"),
        (f"{AT}?host=db.example.com", {}, "db.example.com"),
        (f"{AT}?host=db.example.com&host=127.0.0.1", {}, "db.example.com"),
        ("postgresql:///d?host=db.example.com:1&host=localhost:2", {}, "db.example.com:1"),
        ("postgresql://u:p@127.0.0.1,db.example.com/d", {}, "db.example.com"),
        ("postgresql://u:p@127.0.0.1%2Cdb.example.com/d", {}, "db.example.com"),
        ("postgresql://u:p@%64b.example.com/d", {}, "db.example.com"),
        ("postgresql://u:p@[2001:db8::1]/d", {}, "2001:db8::1"),
        ("postgresql+asyncpg:///d", {"PGHOST": "db.example.com"}, "db.example.com"),
        ("postgresql://u:p@:5432/d", {"PGHOST": "db.example.com"}, "db.example.com"),
        (AT, {"PGHOSTADDR": "192.0.2.1"}, "192.0.2.1"),
        ("postgresql:///d?service=remote", {}, "db.example.com"),
        ("postgresql:///d", {"PGSERVICE": "remote"}, "db.example.com"),
        (f"{AT}?service=remote", {}, None),
        ("postgresql:///d?service=away", {"PGHOST": "db.example.com"}, "db.example.com"),
        ("postgresql:///d", {"PGSERVICE": "away", "PGHOST": "db.example.com"}, "db.example.com"),
        ("postgresql:///d?service=nowhere", {}, destination.UNKNOWN),
        (AT, {"PGSERVICE": "nowhere"}, destination.UNKNOWN),
        (AT, {"PGSERVICE": "away", "PGSERVICEFILE": "/nonexistent"}, destination.UNKNOWN),
        ("postgresql:///d", {"PGPORT": "1,2"}, destination.UNKNOWN),
    ],
)
def test_another_machine_is_named(
    url: str, variables: dict[str, str], machine: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert destination.elsewhere(url) == machine


def test_what_is_no_url_is_an_error() -> None:
    with pytest.raises(NeonupError, match="not a URL"):
        destination.elsewhere("db.example.com")


def test_a_server_of_ones_own_is_told_without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGSERVICE", "nowhere")
    (server,) = destination.servers(AT, {})
    assert (server.address, server.port) == ("127.0.0.1", 1)
    assert destination.elsewhere(AT, {}) is None
