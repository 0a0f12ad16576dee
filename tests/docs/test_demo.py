"""``make demo`` tells its stories to the end, and leaves nothing behind, interrupted or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for temporary files that the account which runs Postgres may enter."""
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    folder.chmod(0o711)
    yield folder
    folder.rmdir()  # fails where something was left


def _start(scratch: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(scratch), "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _left(scratch: Path) -> list[str]:
    """What is left of a demo: files, and processes that work in its folder."""
    words = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    running = [" ".join(line) for line in words if any(str(scratch) in word for word in line)]
    return [*map(str, scratch.iterdir()), *running]


def test_it_goes_from_nothing_to_claimed(scratch: Path) -> None:
    with _start(scratch) as demo:
        output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    told = (
        "created a local Postgres",
        "42",
        "created an unclaimed Neon database",
        "code: ",
        "state       claimed",
    )
    places = [output.find(part) for part in told]
    assert -1 not in places, output
    assert places == sorted(places)
    assert output.count(":***@") >= 2
    assert _left(scratch) == []


@pytest.mark.parametrize("seen", ["neonup -y", "It answers", "neonup serve", "mkdir blog"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(scratch: Path, seen: str, number: signal.Signals) -> None:
    with _start(scratch) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if seen in line:
                break
        time.sleep(0.15)  # somewhere in the middle of the command
        demo.send_signal(number)
        demo.communicate(timeout=60)
    assert demo.returncode != 0
    assert _left(scratch) == []
