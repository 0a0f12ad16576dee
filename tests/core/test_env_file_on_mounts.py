"""``.env`` where a rename is impossible or the disk is full, each in a mount namespace."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

UNSHARE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]

WRITE = """
import atexit, pathlib, shutil, sys, tempfile
from neonup import Database, EnvFileError
from neonup.env import record_changes
from neonup.settings import Settings
path = pathlib.Path(sys.argv[1])
home = pathlib.Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, home)
settings = Settings(path.parent, home, env_file=path, env_keys="all")
def write(host, replace):
    url = f"postgresql://u:p@{host}/d"
    record_changes.write(Database(url, "neon.new", "x"), settings, path, replace=replace)
"""


@cache
def may_mount() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(
    not may_mount(), reason="mount namespaces are not permitted here (unshare --mount)"
)


def inside(shell: str, code: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = f'{shell} && exec "$0" -c "$1" "$2"'
    return subprocess.run(
        [*UNSHARE, "sh", "-c", command, sys.executable, WRITE + code, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bind_mounted_file_is_written_in_place(tmp_path: Path) -> None:
    source, path = tmp_path / "outside.env", tmp_path / ".env"
    source.write_text("A=1\n")
    path.touch()
    done = inside(
        f"mount --bind '{source}' '{path}'",
        "inode = path.stat().st_ino\n"
        "write('one:1', False)\n"
        "write('two:2', True)\n"
        "assert path.stat().st_ino == inode\n",
        path,
    )
    assert done.returncode == 0, done.stderr
    assert path.read_text() == ""
    assert source.read_text() == (
        "A=1\nDATABASE_URL=postgresql://u:p@two:2/d\n"
        "# neonup: DATABASE_URL provider=neon.new id=x host=two:2\n"
    )


@pytest.mark.parametrize("there", [True, False])
def test_on_a_full_disk_the_file_is_as_it_was(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    path = folder / ".env"
    # a file that ends where its block ends, so that the next byte needs a new block
    first = f"head -c 4096 /dev/zero | tr '\\0' '#' > '{path}' && " if there else ""
    done = inside(
        f"mount -t tmpfs -o size=64k tmpfs '{folder}' && {first}"
        f"(cat /dev/zero > '{folder}/filler' 2>/dev/null || true)",
        "before = path.read_bytes() if path.exists() else None\n"
        "try:\n"
        "    write('one:1', False)\n"
        "except EnvFileError as error:\n"
        "    print(error.message)\n"
        "after = path.read_bytes() if path.exists() else None\n"
        "assert before == after\n"
        "assert {p.name for p in path.parent.iterdir()} <= {'.env', 'filler'}\n",
        path,
    )
    assert done.returncode == 0, done.stderr
    assert "could not be written: No space left on device" in done.stdout
