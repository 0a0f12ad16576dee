"""Importing any module of any distribution creates, starts and writes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.release.building import PACKAGE_FOLDERS

# Runs in a child: an audit hook cannot be taken off again, and modules are imported only once.
CHILD = r"""
import importlib, json, os, pkgutil, sys

EVENTS = {
    "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.link",
    "os.mkdir", "os.posix_spawn", "os.putenv", "os.remove", "os.rename", "os.rmdir", "os.spawn",
    "os.symlink", "os.system", "os.truncate", "os.unsetenv", "os.utime", "pty.spawn",
    "shutil.copyfile", "shutil.move", "shutil.rmtree", "signal.pthread_kill", "socket.bind",
    "socket.connect", "socket.getaddrinfo", "socket.sendto", "sqlite3.connect",
    "subprocess.Popen", "tempfile.mkdtemp", "tempfile.mkstemp", "_thread.start_joinable_thread",
    "_thread.start_new_thread",
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(flags, int) and flags & WRITING:
            seen.append([module, event, repr(path)])
    elif event in EVENTS:
        seen.append([module, event, repr(arguments[:1])])

package = sys.argv[1]
seen, imported, module = [], [], package
environ = dict(os.environ)
sys.addaudithook(watch)
root = importlib.import_module(package)
def fail(name):
    raise
for found in pkgutil.walk_packages(root.__path__, package + ".", onerror=fail):
    module = found.name
    if module != "neonup.auto":  # the one whose import is the request
        importlib.import_module(module)
        imported.append(module)
for name in getattr(root, "__all__", []):
    getattr(root, name)
if dict(os.environ) != environ:
    seen.append([package, "os.environ", "changed"])
print(json.dumps({"seen": seen, "imported": imported}))
"""


@pytest.mark.parametrize("package", PACKAGE_FOLDERS)
def test_importing_does_nothing_else(package: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NEONUP", "DATABASE_URL", "PYTEST", "COV"))
    }
    home = str(tmp_path / "home")
    # Even where creating is allowed, and asked for in as many words.
    allowed = {"HOME": home, "NEONUP_HOME": home, "XDG_DATA_HOME": home}
    child = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", CHILD, package],
        cwd=empty,
        env={**environ, **allowed, "NEONUP_ENV": "development"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""
    answer = json.loads(child.stdout)
    assert answer["seen"] == []
    assert list(tmp_path.iterdir()) == [empty]
    assert list(empty.iterdir()) == []


def test_the_watch_would_see_it(tmp_path: Path) -> None:
    package = tmp_path / "careless"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "writes.py").write_text("open('left.txt', 'w').close()\n")
    (package / "starts.py").write_text("import subprocess; subprocess.run(['true'])\n")
    (package / "asks.py").write_text(
        "import socket\nwith socket.socket() as s: s.connect_ex(('127.0.0.1', 1))\n"
    )
    child = subprocess.run(
        [sys.executable, "-B", "-c", CHILD, "careless"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = {(module, event) for module, event, _ in json.loads(child.stdout)["seen"]}
    assert ("careless.writes", "open") in seen
    assert ("careless.starts", "subprocess.Popen") in seen
    assert ("careless.asks", "socket.connect") in seen
