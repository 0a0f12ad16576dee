"""Builders of a template: functions in a process of their own, and who else could have written.

A database that is being built has a name of its own, which only the builder is told. A function
object alone, which can run nowhere but in this process and knows the application's URL, is run
with the database behind that URL: then other threads and child processes can reach it as well.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from neonup import NeonupError
from neonup_pytest import functions

_HARMLESS = ("neonup-pool", "pytest_timeout")
_TOOLS = frozenset({"execnet", "pytest_rerunfailures", "xdist"})
"""Packages of the test tools, whose threads have nothing to do with databases."""
_PROGRAMS = frozenset({"psql", "postgres"})
_LINES = 12


def run_function(name: str, url: str, environ: Mapping[str, str], root: Path) -> None:
    """Run ``module:function`` in a new Python, where nothing else of this process runs.

    Args:
        name: the function.
        url: the database, in the application's dialect; told on stdin, which nobody else reads.
        environ: the variables that lead there.
        root: the folder to run in.

    Raises:
        NeonupError: it failed; shows the end of what it wrote.
    """
    task = {"function": name, "url": url, "path": sys.path, "root": str(root)}
    done = subprocess.run(
        [sys.executable, "-m", "neonup_pytest.building"],
        cwd=root,
        env={**os.environ, **environ},
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        output = [line for line in done.stdout.splitlines() if line.strip()]
        raise NeonupError(f"neon_migrate = {name} failed.", checked=output[-_LINES:])


def bystanders() -> list[str]:
    """Other threads and child processes of this process, which know the application's URL."""
    own = threading.current_thread()
    threads = [
        f"thread {thread.name}"
        for thread in threading.enumerate()
        if thread is not own and not thread.name.startswith(_HARMLESS) and not _is_tools(thread)
    ]
    return [*threads, *_children()]


def _is_tools(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None)  # no public name leads there
    return str(getattr(target, "__module__", "")).partition(".")[0] in _TOOLS


def _children() -> list[str]:
    """Child processes, where the kernel tells: Linux."""
    children = []
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            pids = path.read_text().split()
        except OSError:  # that thread has ended
            continue
        for pid in pids:
            try:
                name = Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                continue
            if name not in _PROGRAMS:
                children.append(f"process {pid} ({name})")
    return children


def _main() -> None:
    task = json.loads(sys.stdin.read())
    sys.path[:] = task["path"]
    functions.call_by_name(task["function"], task["url"], Path(task["root"]))


if __name__ == "__main__":
    _main()
