"""Whatever happens between "the database exists" and "it is recorded": its URL is not lost."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.wire import answer, wire
from tests.neon_new_server import NeonNewServer
from tests.plugins import install
from tests.project import Project, clean_environ
from tests.waiting import wait_until

ENSURE = "import neonup; print(neonup.ensure().url)"
LONG = "# a comment\n" * 10_000
FULL = ["sh", "-c", 'ulimit -f 200; exec "$@"', "sh", sys.executable, "-m", "neonup"]
"""neonup where no file can grow beyond 200 blocks of 512 bytes, as on a full disk; `LONG` has."""

RAISES = """
import os, neonup

@neonup.hookimpl
def neonup_env(database):
    if os.path.exists("fail"):
        {fault}
    return {{"SHOP_DATABASE_ID": database.id}}
"""


@pytest.fixture
def shop(tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer) -> Project:
    """A project whose databases come from neon.new."""
    folder = tmp_path / "shop"
    folder.mkdir()
    environ = {**neon_new_server.environment, "NEONUP_ENV": "development", "NEONUP_ENV_KEYS": "all"}
    return Project(folder, clean_environ(neonup_home, **environ))


@pytest.mark.parametrize(
    "fault",
    ["raise RuntimeError('no such team')", "os.kill(os.getpid(), 9)", "raise KeyboardInterrupt"],
)
def test_a_plugin_that_fails_loses_no_url(
    shop: Project, neon_new_server: NeonNewServer, tmp_path: Path, fault: str
) -> None:
    install(tmp_path / "site", "team", RAISES.format(fault=fault))
    shop.environ["PYTHONPATH"] = str(tmp_path / "site")
    (shop.folder / "fail").touch()
    failed = shop.python(ENSURE)
    assert failed.returncode != 0
    if "Runtime" in fault:
        assert "A plugin's neonup_env failed: RuntimeError: no such team" in failed.stderr
    url = shop.url
    (shop.folder / "fail").unlink()
    done = shop.python(ENSURE)
    assert done.stdout.strip() == url, done.stderr
    assert shop.variables["SHOP_DATABASE_ID"] == neon_new_server.ids[0]
    assert len(neon_new_server.ids) == 1


def full(shop: Project) -> str:
    """What neonup says on stderr where `.env` cannot grow and the home's small files can."""
    shop.env_file.write_text(LONG)
    done = shop.command(FULL)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert shop.env_file.read_text() == LONG
    return done.stderr


def test_a_full_disk_leaves_the_database_to_the_next_start(
    shop: Project, neon_new_server: NeonNewServer, neonup_home: Path
) -> None:
    failed = full(shop)
    assert "could not be written" in failed and "the next start records it" in failed
    (kept,) = (neonup_home / "created").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert "the next start records it" in full(shop)
    assert "an earlier start had created it" in shop.ok()
    assert len(neon_new_server.ids) == 1
    assert shop.json("status")["id"] == neon_new_server.ids[0]
    assert shop.query("SELECT 1") == "1"
    assert not list((neonup_home / "created").iterdir())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_start_ended_before_it_could_write_is_finished_by_the_next(
    shop: Project, neon_new_server: NeonNewServer, neonup_home: Path, how: signal.Signals
) -> None:
    """It waits for git's HEAD, a FIFO, when the service has answered."""
    (shop.folder / "pyproject.toml").write_text("[tool.neonup]\ngit_branches = true\n")
    git = shop.folder / ".git"
    git.mkdir()
    os.mkfifo(git / "HEAD")
    process = subprocess.Popen(
        [sys.executable, "-c", ENSURE],
        cwd=shop.folder,
        env=shop.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )

    def kept() -> bool:
        files = (neonup_home / "created").glob("*.json")
        return any(b"postgresql://" in path.read_bytes() for path in files)

    try:
        wait_until(lambda: kept() or process.poll() is not None, "the answer of the service")
    finally:
        process.send_signal(how)
        process.communicate()
    assert not shop.env_file.exists()
    shutil.rmtree(git)
    done = shop.python(ENSURE)
    assert done.stdout.strip() == shop.url, done.stderr
    assert len(neon_new_server.ids) == 1


def test_where_nothing_can_be_written_the_url_is_shown(shop: Project, neonup_home: Path) -> None:
    """The home is damaged while the service answers, and `.env` cannot grow."""
    url = "postgresql://u:npg_x@ep-a-1.us-east-2.aws.neon.tech/neondb"
    body = {"id": "a-b-c", "connection_string": url, "claim_url": "http://127.0.0.1/claim/a-b-c"}

    def breaks(connection: socket.socket) -> None:
        shutil.rmtree(neonup_home / "created")
        (neonup_home / "created").write_text("in the way")
        answer(body)(connection)

    with wire(breaks) as service:
        shop.environ["NEONUP_NEON_NEW_URL"] = service.api
        failed = full(shop)
    assert "its URL could be written nowhere" in failed
    assert f"DATABASE_URL={url}" in failed and body["claim_url"] in failed


def test_without_room_for_the_url_nothing_is_created(
    shop: Project, neon_new_server: NeonNewServer, neonup_home: Path
) -> None:
    (neonup_home / "created").write_text("in the way")
    assert "cannot be" in shop.fails()
    assert not neon_new_server.ids and not shop.env_file.exists()


def test_what_is_kept_and_gone_meanwhile_is_not_used(
    shop: Project, neon_new_server: NeonNewServer
) -> None:
    full(shop)
    (first,) = neon_new_server.ids
    neon_new_server.let_expire(first)
    shop.env_file.unlink()
    shop.ok()
    assert shop.json("status")["id"] != first
    assert shop.query("SELECT 1") == "1"
