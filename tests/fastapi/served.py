"""A child project's server as a process: started as a user does, asked over HTTP, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import asking
from tests.postgres import free_port
from tests.programs import Program
from tests.project import Project

SECONDS = 60.0

DEV = ("fastapi", "dev", "main.py")
RUN = ("fastapi", "run", "main.py", "--host", "127.0.0.1")
UVICORN = ("uvicorn", "main:app")
RELOAD = (*UVICORN, "--reload")


@dataclass
class Served:
    """A running server; `said` is all that it printed."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    @property
    def banners(self) -> int:
        return sum(line.startswith("neonup  ") for line in self.said.splitlines())

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        return asking.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=SECONDS)

    def answer(self, path: str = "/") -> object:
        """What an address answers, which must be JSON with status 200."""
        answered = self.get(path)
        assert answered.status_code == 200, f"{answered.text}\n{self.said}"
        return answered.json()

    def wait_for(self, words: str, *, times: int = 1) -> None:
        """Until it has printed something."""
        deadline = time.monotonic() + SECONDS
        while self.said.count(words) < times:
            assert time.monotonic() < deadline, f"{words!r} is not there:\n{self.said}"
            time.sleep(0.02)

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            assert self.process.poll() is None, self.said
            try:
                self.get("/_is_anybody_there")
                return
            except httpx.TransportError:
                assert time.monotonic() < deadline, self.said
                time.sleep(0.02)


def argv(command: tuple[str, ...], port: int) -> list[str]:
    return [sys.executable, "-m", *command, "--port", str(port)]


@contextmanager
def serving(project: Project, command: tuple[str, ...], **environ: str) -> Iterator[Served]:
    """Start a server and wait until it answers; afterwards it and its children are gone."""
    port = free_port()
    log = project.folder.parent / f"served-{port}.log"
    with log.open("wb") as output:
        process = Program(
            argv(command, port),
            cwd=project.folder,
            env={**project.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    served = Served(process, port, log)
    try:
        served.wait_until_it_answers()
        yield served
        process.send_signal(signal.SIGINT)
        process.wait(120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def fails_to_start(project: Project, command: tuple[str, ...], **environ: str) -> str:
    """What a server prints that must not start; it ends with a status that is not 0."""
    done = project.command(argv(command, free_port()), NO_COLOR="1", **environ)
    assert done.returncode not in (0, None), done.stdout + done.stderr
    return done.stdout + done.stderr
