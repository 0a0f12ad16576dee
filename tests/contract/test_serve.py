"""The command `neonup serve` as a process: started, told to end, killed, started again."""

from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from neonup_emulator.neon.overview import NeonServers
from tests import asking
from tests.docs import answers as declared
from tests.programs import Program
from tests.project import Project, clean_environ
from tests.waiting import PATIENCE


@dataclass
class Serving:
    """A running `neonup serve`; `said` is its line of JSON."""

    process: subprocess.Popen[str]
    said: dict[str, Any]

    @property
    def api(self) -> str:
        url: str = self.said["env"]["NEONUP_NEON_NEW_URL"]
        return url

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def make(self) -> dict[str, str]:
        made: dict[str, str] = asking.post(f"{self.api}/database", json={"ref": "tests"}).json()
        return made


Start = Callable[..., Serving]


def first_line(stream: IO[str]) -> str:
    """A line within a minute; a read alone might wait for ever."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    return lines.get(timeout=60)


@pytest.fixture
def start(neonup_home: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environ: str) -> Serving:
        process = Program(
            [sys.executable, "-m", "neonup", "serve", "--json", *(arguments or ("--port", "0"))],
            env=clean_environ(neonup_home, **environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout
        line = first_line(process.stdout)
        assert line, process.stderr.read() if process.stderr else ""
        declared.check(("serve",), json.loads(line))
        return Serving(process, json.loads(line))

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A `neonup serve` that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "neonup", *arguments],
        env=clean_environ(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def states(home: Path) -> list[str | int | None]:
    return [row["state"] for row in NeonServers(home).rows()]


def answers(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=60) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_its_databases_with_it(
    start: Start, neonup_home: Path, number: int
) -> None:
    serving = start()
    assert set(serving.said) == {"url", "env", "home", "tls", "pid"}
    assert serving.said["pid"] == serving.process.pid
    made = serving.make()
    assert answers(made["connection_string"])
    assert serving.end(number) == 0
    stdout, stderr = serving.process.communicate()
    assert stdout + stderr == ""
    assert states(neonup_home) == ["stopped"]


def test_what_it_prints_is_all_that_a_project_needs(
    start: Start, neonup_home: Path, tmp_path: Path
) -> None:
    serving = start()
    project = Project(tmp_path, clean_environ(neonup_home, **serving.said["env"]))
    done = project.command([sys.executable, "-m", "neonup", "-y", "--json"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["provider"] == "claimable"
    assert answers(project.url)


def test_a_person_is_told_how_to_use_it(neonup_home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "neonup", "serve", "--port", "0"],
        env=clean_environ(neonup_home),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = first_line(process.stdout)
        assert line.startswith("A local Neon is ready: http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        rest = process.stdout.read()
        port = line.rpartition(":")[2].strip()
        assert (
            f"NEONUP_PROVIDER=claimable CLAIMABLE_NEON_HOST=http://localhost:{port} neonup" in rest
        )
        assert f"  {line.split()[-1]}/sign-in?token=" in rest
    finally:
        process.kill()
        process.communicate()


def test_killed_its_databases_are_listed_and_taken_over(start: Start, neonup_home: Path) -> None:
    serving = start()
    made = serving.make()
    serving.end(signal.SIGKILL)
    listed = json.loads(command(neonup_home, "list", "--json").stdout)
    assert made["neon_project_id"] in json.dumps(listed)
    second = start()
    assert answers(made["connection_string"])
    again = asking.get(f"{second.api}/database/{made['id']}").json()
    assert again["connection_string"] == made["connection_string"]
    assert second.end() == 0
    assert states(neonup_home) == ["stopped"]


def test_it_wakes_what_it_stopped(start: Start) -> None:
    first = start()
    made = first.make()
    first.end()
    start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert answers(made["connection_string"])
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    pytest.fail("the database was not woken")


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(neonup_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command(neonup_home, "serve", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}: address already in use" in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_home_is_served_once(start: Start, neonup_home: Path) -> None:
    start()
    done = command(neonup_home, "serve", "--port", "0")
    assert done.returncode == 1
    assert "Another neonup serve is running" in done.stderr
    assert "--home" in done.stderr


def test_the_network_is_let_in_only_in_so_many_words(start: Start, neonup_home: Path) -> None:
    done = command(neonup_home, "serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 1
    assert "--allow-remote" in done.stderr
    serving = start("--host", "0.0.0.0", "--port", "0", "--allow-remote")
    answer = asking.get(f"{serving.api}/database/x", headers={"host": "my-container:5540"})
    assert answer.status_code == 400


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_it_listens_on_ipv6_loopback(start: Start) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    serving = start("--host", "::1", "--port", "0")
    assert serving.said["url"].startswith("http://[::1]:")
    assert serving.make()["claim_url"].startswith(serving.said["url"])


def test_a_home_of_its_own(start: Start, neonup_home: Path) -> None:
    own = neonup_home / "own"
    serving = start("--home", str(own), "--port", "0")
    serving.make()
    assert len(NeonServers(own).rows()) == 1
    assert NeonServers(neonup_home).rows() == []
    serving.end()


def test_a_folder_that_cannot_be_used_is_said(neonup_home: Path) -> None:
    (neonup_home / "file").touch()
    done = command(neonup_home, "serve", "--home", str(neonup_home / "file"), "--port", "0")
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    assert str(neonup_home / "file") in done.stderr


def test_no_process_shows_a_password(start: Start, neonup_home: Path) -> None:
    serving = start()
    url = serving.make()["connection_string"]
    assert answers(url)
    password = url.split(":")[2].partition("@")[0]
    assert password.endswith("pooler")
    shown = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True)
    assert password not in shown.stdout
    serving.end()
    logs = list(neonup_home.rglob("log"))
    assert logs
    for path in logs:
        assert password not in path.read_text(errors="replace")


def test_its_files_are_nobody_elses_to_read(start: Start, neonup_home: Path) -> None:
    serving = start()
    serving.make()
    serving.end()
    for path in (*neonup_home.rglob("*.key"), *(neonup_home / "neon").glob("neon.db*")):
        assert path.stat().st_mode & 0o077 == 0, path
