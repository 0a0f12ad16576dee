"""A child process that uses Neon through a relay, and is killed there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.cloud.relay import Relay
from tests.programs import Program

ROOT = Path(__file__).parents[2]


def kill_where_held(relay: Relay, key: str, program: str, *arguments: str) -> None:
    """Run a program, and kill it once the relay holds back the answer to a request of it.

    Args:
        key: for Neon's API.
        program: its source.
    """
    environ = {"NEON_API_HOST": relay.base, "NEON_API_KEY": key}
    process = Program(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
    )
    try:
        assert relay.held.wait(60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
