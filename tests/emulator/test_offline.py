"""Without any network but loopback, a project has its database and a local Neon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

UNSHARE = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
LOOPBACK = """
import fcntl, socket, struct
with socket.socket() as it:  # SIOCSIFFLAGS: up, running
    fcntl.ioctl(it, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
"""
STORY = """
set -e
python -c "$LOOPBACK"
! python -c 'import socket; socket.create_connection(("192.0.2.1", 80), 1)' 2>/dev/null
neonup >/dev/null
neonup psql -- -A -t -c "SELECT 'local'"
neonup stop >/dev/null
neonup serve --ephemeral --port 0 -- python branch.py
"""
BRANCH = """
import psycopg

from neonup_cloud import NeonClient

with NeonClient() as neon:
    created = neon.projects.create(name="shop")
    neon.operations.wait(created.operations)
    made = neon.branches.create(created.project.id, name="dev")
    neon.operations.wait(made.operations)
    with psycopg.connect(made.connection_uris[0].connection_uri) as connection:
        print(*connection.execute("SELECT 'served'").fetchone())
"""


def may_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not may_unshare(), reason="network namespaces are not permitted here")
def test_everything_works_without_a_network(tmp_path: Path, neonup_home: Path) -> None:
    (tmp_path / "branch.py").write_text(BRANCH)
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NEONUP_HOME": str(neonup_home),
        "LOOPBACK": LOOPBACK,
    }
    done = subprocess.run(
        [*UNSHARE, "bash", "-c", STORY],
        cwd=tmp_path,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["local", "served"]
