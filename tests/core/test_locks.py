"""Locks on files, between real processes, threads and forks."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from neonup.locks import FileLock, LockTimeout, reentrant

BEGIN = "import os, sys; from neonup.locks import FileLock, LockTimeout, reentrant\n"
PATIENT = 30.0

HOLD = "lock = FileLock(sys.argv[1])\nlock.acquire()\nprint('held', flush=True)\ninput()"

FORKED_CHILD_EXITS = """
with FileLock(sys.argv[1]):
    if not os.fork():
        sys.exit()  # by way of the parent's `with`, and of all finalizers
    os.wait()
    print("held", flush=True)
    input()
"""

PARENT_DIES = """
lock = FileLock(sys.argv[1])
lock.acquire()
if not os.fork():
    print("forked", flush=True)
    input()
    os._exit(0)
input()
"""

FORKED_CHILD_WAITS = """
from pathlib import Path
path = Path(sys.argv[1])
with reentrant(path, 0):
    with reentrant(path, 0):
        pass
    if not os.fork():
        try:
            with reentrant(path, 0):
                os._exit(1)
        except LockTimeout:
            pass
        sys.exit()
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    if not os.fork():
        with reentrant(path, 30):
            pass
        sys.exit()  # by way of the parent's `with`
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
"""

COUNT = """
from pathlib import Path
counter = Path(sys.argv[2])
for _ in range(200):
    with FileLock(sys.argv[1], timeout=60) as lock:
        number = int(counter.read_text())
        counter.write_text(str(number + 1))
        if sys.argv[3] == "delete":
            lock.path.unlink()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "the.lock"


def run(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", BEGIN + code, *map(str, arguments)]


@contextmanager
def child(code: str, path: Path, line: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has said a line; it ends when its standard input does."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(run(code, path), text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == f"{line}\n"
        yield process
        process.kill()


def refuse(path: Path) -> None:
    with pytest.raises(LockTimeout):
        FileLock(path).acquire()


def test_it_falls_with_its_process_and_its_file_stays(path: Path) -> None:
    with child(HOLD, path, "held") as process:
        refuse(path)
        process.kill()
        process.wait()
        with FileLock(path):
            refuse(path)
        with FileLock(path):
            pass
    assert path.exists()


def test_a_forked_child_that_exits_leaves_it_with_the_parent(path: Path) -> None:
    with child(FORKED_CHILD_EXITS, path, "held"):
        refuse(path)


def test_a_forked_child_does_not_hold_it_on_when_the_parent_dies(path: Path) -> None:
    with child(PARENT_DIES, path, "forked") as process:
        refuse(path)
        process.kill()
        process.wait()
        with FileLock(path):
            pass


def test_only_the_thread_that_has_it_may_take_it_again(path: Path) -> None:
    refused = threading.Event()

    def other() -> None:
        with pytest.raises(LockTimeout), reentrant(path, 0):
            pass
        refused.set()

    with reentrant(path, 0), reentrant(path, 0):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert refused.is_set()
    subprocess.run(run(FORKED_CHILD_WAITS, path), check=True, timeout=PATIENT * 2)


@pytest.mark.parametrize("how", ["keep", "delete"])
def test_one_at_a_time_even_if_holders_delete_the_file(
    path: Path, tmp_path: Path, how: str
) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    with ExitStack() as stack:
        argv = run(COUNT, path, counter, how)
        for process in [stack.enter_context(subprocess.Popen(argv)) for _ in range(3)]:
            assert process.wait() == 0
    assert counter.read_text() == "600"


def test_a_child_that_is_started_does_not_inherit_it(path: Path) -> None:
    with FileLock(path):
        started = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with started, FileLock(path):
        started.kill()


def test_a_folder_that_is_missing_is_no_timeout(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileLock(tmp_path / "missing" / "the.lock").acquire()
