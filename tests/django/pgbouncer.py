"""A real pgbouncer in transaction mode before a database."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from neonup import urls

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")

CONFIGURATION = """[databases]
* = host=127.0.0.1 port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 4
server_round_robin = 1
logfile = {folder}/log
"""


@contextmanager
def pooling(url: str, folder: Path) -> Iterator[str]:
    """Serve until the end of the block, and give the URL through it."""
    assert PROGRAM is not None
    parts = urls.parse(url)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        listens = probe.getsockname()[1]
    folder.mkdir(mode=0o755)
    (folder / "users").write_text(f'"{parts.user}" "{parts.password}"\n')
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(port=parts.hosts[0][1], listens=listens, folder=folder)
    )
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to be root, and nobody may not enter pytest's folders
        who = {"user": "nobody", "extra_groups": []}
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "nobody")
    with (folder.parent / "said").open("wb") as said:
        process = subprocess.Popen([PROGRAM, "-q", configuration], stderr=said, cwd="/", **who)
    try:
        _until_it_listens(listens, process, folder.parent / "said")
        yield url.replace(f":{parts.hosts[0][1]}/", f":{listens}/")
    finally:
        process.terminate()
        process.wait(30)


def _until_it_listens(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, said.read_text()
            time.sleep(0.02)
