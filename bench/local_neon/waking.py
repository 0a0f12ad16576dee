"""Waking a suspended endpoint, beside the start of the same cluster by ``postgres`` itself."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bench.figures import Case, Pair
from bench.local_neon.server import select, serving, url_of
from bench.timing import in_turns, milliseconds
from neonup_local.engine import postmaster

_CLIENTS = 50
_PATIENCE = 60.0  # seconds


def wake(repeats: int) -> Pair:
    """From the first connection, through the front and with TLS, to the first answer."""
    return _woken(select, repeats * 2)


def wake_by_many(repeats: int) -> Pair:
    """Until all of many clients have their answer."""
    return _woken(_burst, repeats)


def _woken(ask: Callable[[str], None], repeats: int) -> Pair:
    with serving() as server:
        created = server.project()
        url = url_of(created)
        select(url)
        own, data = server.own_url(created), server.cluster() / "data"
        process = _postmaster(data)
        command, account = _without_socket(process.cmdline()), process.uids().real

        def ours() -> float:
            server.suspend(created)
            return milliseconds(lambda: ask(url))

        def theirs() -> float:
            server.suspend(created)
            begin = time.perf_counter()
            with _started(command, account, data):
                ask(own)
                return (time.perf_counter() - begin) * 1000

        return in_turns(ours, theirs, repeats)


def _postmaster(data: Path) -> psutil.Process:
    running = postmaster.read(data)
    assert running is not None
    return psutil.Process(running.pid)


def _without_socket(command: list[str]) -> list[str]:
    """A server's command line; the folder of its Unix socket is gone when it sleeps."""
    setting = "unix_socket_directories="
    return [setting if word.startswith(setting) else word for word in command]


@contextmanager
def _started(command: list[str], account: int, data: Path) -> Iterator[None]:
    """The server of a suspended cluster, by the command line that the local Neon started it by."""
    switch: dict[str, Any] = {}
    if os.geteuid() == 0:
        switch = {"user": account, "extra_groups": []}
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd="/", **switch,
    )  # fmt: skip
    try:
        _until_ready(server, data)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown, as the local Neon's own
        server.wait(_PATIENCE)


def _until_ready(server: subprocess.Popen[bytes], data: Path) -> None:
    """Until it says in its ``postmaster.pid`` that it is: what ``pg_ctl --wait`` looks at."""
    deadline = time.monotonic() + _PATIENCE
    while (running := postmaster.read(data)) is None or not running.ready:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server of {data} did not start")
        time.sleep(0.001)


def _burst(url: str) -> None:
    failed: list[BaseException] = []

    def one() -> None:
        try:
            select(url)
        except psycopg.Error as error:
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(f"{len(failed)} of {_CLIENTS} clients failed: {failed[0]}")


CASES = (
    Case(
        "neon-wake", "waking an endpoint, first answer, with TLS",
        "its cluster started by `postgres`", "ms", 1.2, wake,
    ),
    Case(
        "neon-wake-50", "waking it by 50 clients at once, all answered",
        "its cluster started by `postgres`, and the same", "ms", 1.5, wake_by_many,
    ),
)  # fmt: skip
