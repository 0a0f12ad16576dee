"""Which machine the figures are of, and how it is doing."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from datetime import datetime
from pathlib import Path

from bench import world
from bench.figures import Moment
from bench.timing import Command, process_milliseconds
from neonup_local.test_server import choose_engine

_STARTS = 7


def description() -> str:
    """Its system, cores, Python and Postgres."""
    with world.home() as home:
        postgres = choose_engine(home.path).program("postgres")
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"[\d.]+", said.stdout)
    assert version is not None
    return (
        f"{platform.system()} on {platform.machine()} with {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, Postgres {version[0]}"
    )


def now() -> Moment:
    """The time, the machine's load, and the time of ``python -c pass`` now."""
    command = Command(world.python("pass"), Path.cwd(), dict(os.environ))
    python_pass = statistics.median(process_milliseconds(command) for _ in range(_STARTS))
    return Moment(datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"), python_pass, load())


def load() -> float | None:
    """How many processes wanted to run in the last minute, where the system tells it."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
