"""Running code as somebody else, and in a machine that lacks something."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import programs
from tests.conftest import remove_home

ROOT = os.geteuid() == 0
STRANGER = 54321
"""A uid without an entry in the user database."""

needs_root = pytest.mark.skipif(not ROOT, reason="mounting and changing the user need root")

CREATE = """
import sys
from pathlib import Path
from neonup import NeonupError
from neonup_local.service.databases import LocalDatabases
databases = LocalDatabases(Path(sys.argv[1]))
try:
    record = databases.create("shop", name="shop")
except NeonupError as error:
    sys.exit(str(error))
print(databases.url(record))
"""
"""Makes a database in the home that is the first argument, and prints its URL."""


def as_user(uid: int, gid: int) -> list[str]:
    """The words before a command that make it run as another user.

    The interpreter may lie where only root can read, in his home: the capability to read
    any file goes with it, none to write.
    """
    return [
        *("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"),
        *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
    ]


def python(
    code: str, *arguments: object, before: list[str] | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, as whom and where ``before`` says."""
    return programs.run(
        [*(before or []), sys.executable, "-c", code, *map(str, arguments)],
        cwd="/",
        env={**os.environ, **environ},
    )


def in_other_machine(
    mounts: str, code: str, *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Run Python code where shell commands have changed what is mounted, for it alone."""
    command = shlex.join([sys.executable, "-c", code, *map(str, arguments)])
    return subprocess.run(
        ["unshare", "--mount", "sh", "-ec", f"{mounts}\nexec {command}"],
        capture_output=True,
        text=True,
        cwd="/",
        timeout=120,
        check=False,
    )


@contextmanager
def home_of(uid: int, gid: int) -> Iterator[Path]:
    """An empty home that belongs to a user."""
    home = Path(tempfile.mkdtemp(prefix="nu-"))
    if ROOT:
        shutil.chown(home, uid, gid)
    try:
        yield home
    finally:
        remove_home(home)
