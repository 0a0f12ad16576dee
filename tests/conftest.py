"""What all tests share: a home of neonup's own, whose processes and files are gone afterwards."""

from __future__ import annotations

import compileall
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psutil
import pytest

from tests.neon_new_server import NeonNewServer, serving

if TYPE_CHECKING:
    from tests.postgres import Server

ROOT = Path(__file__).parents[1]
MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes: each home has a few data directories of 40 MB, and the engines take 200 MB."""


# A busy machine draws slowly; that says nothing of what is tested.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


def pytest_configure(config: pytest.Config) -> None:
    """Let tests interrupt their children: where a shell starts this run in the background, it
    ignores SIGINT, and so would every program that a test starts."""
    if not hasattr(config, "workerinput"):  # one of xdist's, whose first process has done it
        _compile()
    sys.dont_write_bytecode = False  # of the tests' modules: pytest keeps what it made of them
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _remove_left_homes()


def _compile() -> None:
    """Keep the bytecode of what is tested, for the thousands of programs that tests start.

    Where ``PYTHONDONTWRITEBYTECODE`` is set, as in many containers, each would compile all modules
    again, which takes four times as long as to load them.
    """
    for folder in (ROOT / "core", ROOT / "plugins"):
        compileall.compile_dir(folder, quiet=2)  # silent where this account may not write there


def _memory() -> Path | None:
    """A folder in memory that programs can be run from, with room for some homes; else None.

    Most of the suite's time would otherwise go into copying data directories on the disk, and into
    the upkeep's flushing of it.
    """
    if sys.platform != "linux" or not os.access(MEMORY, os.W_OK):
        return None
    found = os.statvfs(MEMORY)
    roomy = found.f_bavail * found.f_frsize >= ROOM
    return MEMORY if roomy and not found.f_flag & os.ST_NOEXEC else None


def make_home(*, on_disk: bool = False) -> Path:
    """A new folder that the unprivileged account may enter, unlike pytest's own ones."""
    prefix = f"nu-{os.getpid()}-"
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=None if on_disk else _memory()))
    home.chmod(0o711)
    return home


def _processes(home: Path) -> list[psutil.Process]:
    """The processes whose command line names the home: its servers, and its upkeep."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.pid == os.getpid() or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        if any(word == str(home) or word.startswith(f"{home}/") for word in words):
            found.append(process)
    return found


def remove_home(home: Path) -> None:
    """End what runs in a home and delete it."""
    deadline = time.monotonic() + 60
    signalled: set[int] = set()
    while (running := _processes(home)) and time.monotonic() < deadline:
        for process in running:
            if process.pid not in signalled:
                signalled.add(process.pid)
                with contextlib.suppress(psutil.NoSuchProcess):
                    server = "-D" in process.cmdline()
                    # Ended at once, it would leave its shared memory behind.
                    process.send_signal(signal.SIGINT if server else signal.SIGTERM)
        time.sleep(0.01)
    shutil.rmtree(home, ignore_errors=True)


def _remove_left_homes() -> None:
    """Delete the homes of killed runs: those in memory would stay until a reboot."""
    for home in [*MEMORY.glob("nu-*-*"), *Path(tempfile.gettempdir()).glob("nu-*-*")]:
        run = home.name.split("-")[1]
        if run.isdecimal() and not psutil.pid_exists(int(run)) and os.access(home, os.W_OK):
            remove_home(home)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine or of another test reaches this one."""
    for name in list(os.environ):
        if name.startswith(("NEONUP", "DATABASE_URL", "PG", "POSTGRES_CLAIM_URL")):
            monkeypatch.delenv(name)


@pytest.fixture
def cold_home(monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Iterator[Path]:
    """An empty ``NEONUP_HOME``: the first database ever on a machine."""
    home = make_home()
    monkeypatch.setenv("NEONUP_HOME", str(home))
    yield home
    remove_home(home)


@pytest.fixture
def cold_home_on_disk(monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Iterator[Path]:
    """The same where shared memory is taken away."""
    home = make_home(on_disk=True)
    monkeypatch.setenv("NEONUP_HOME", str(home))
    yield home
    remove_home(home)


@pytest.fixture(scope="session")
def warm_parts() -> Iterator[Path]:
    """A home with an engine and a template in it, made once for all tests of this process."""
    from neonup_local.service.databases import LocalDatabases

    home = make_home()
    LocalDatabases(home).prepare()
    yield home
    remove_home(home)


def warm_home(warm_parts: Path) -> Path:
    """A new home without databases, with the engine and the template ready."""
    home = make_home()
    (home / "engines").symlink_to(warm_parts / "engines")
    (home / "templates").mkdir()
    (home / "templates").chmod(0o711)
    for template in (warm_parts / "templates").iterdir():
        (home / "templates" / template.name).symlink_to(template)
    shutil.copy2(warm_parts / "cloud_admin", home)
    return home


@pytest.fixture
def home_with_upkeep(
    monkeypatch: pytest.MonkeyPatch, clean_environment: None, warm_parts: Path
) -> Iterator[Path]:
    """A ``NEONUP_HOME`` without databases, with the engine and the template ready."""
    home = warm_home(warm_parts)
    monkeypatch.setenv("NEONUP_HOME", str(home))
    yield home
    remove_home(home)


@pytest.fixture
def neonup_home(home_with_upkeep: Path) -> Iterator[Path]:
    """The same, where no database's use begins the upkeep: its process would prepare a next
    database, which the test has not, and let all that the machine has written go to its disks."""
    from neonup_local.service import home as homes

    with homes.locked(home_with_upkeep, homes.UPKEEP):
        yield home_with_upkeep


@pytest.fixture
def neon_new_server(warm_parts: Path) -> Iterator[NeonNewServer]:
    """A local neon.new on a free port, with a home of its own; no setting points to it yet."""
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture(scope="session")
def plain_server() -> Iterator[Server]:
    """A Postgres that knows no TLS."""
    from tests.postgres import running

    with running(tls=False) as server:
        yield server


@pytest.fixture(scope="session")
def tls_server() -> Iterator[Server]:
    """A Postgres that over TCP takes nothing but TLS."""
    from tests.postgres import running

    with running(tls=True) as server:
        yield server


@pytest.fixture
def tls_url(tls_server: Server) -> str:
    """A role's own database of that server."""
    from tests.psql import PASSWORD, ROLE

    return tls_server.create(ROLE, PASSWORD, f"d {uuid.uuid4().hex} %")
