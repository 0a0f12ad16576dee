"""After ``destroy`` the file is what it was, byte for byte; and how it is replaced meanwhile."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from neonup import EnvFileError
from neonup.env import files, record_changes
from tests.core.test_env_file import FILES, NEW_URL, database, settings, write
from tests.local.people import needs_root
from tests.project import Project, names

TEMPLATE = b"DATABASE_URL=\n# DATABASE_URL_DIRECT=\nPOSTGRES_CLAIM_URL=\nA=1"
BOM = b"\xef\xbb\xbf"
CONTENTS = [
    None,
    b"",
    b"A=1",
    b"A=1\n",
    b"A=1\r\nB=2",
    b"\n\n",
    b"# a",
    BOM,
    BOM + b"A=1",
    TEMPLATE,
]


def put_back(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def is_extensible(path: Path) -> bool:
    """Whether a block can be added; the file may have a quote that is never closed."""
    try:
        write(path)
    except EnvFileError:
        return False
    return True


@given(st.one_of(st.sampled_from(CONTENTS), FILES), st.booleans(), st.booleans())
def test_every_byte_is_as_it_was(content: bytes | None, renewed: bool, extra: bool) -> None:
    if content and b"postgres://" in content:
        return  # the user's own URL is not neonup's to take away, nor to put another in its place
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        if content is not None:
            path.write_bytes(content)
        if not is_extensible(path):
            return
        if extra:
            record_changes.forget("DATABASE_URL", settings(path), path)
            more = {"REDIS_URL": "redis://127.0.0.1"}
            record_changes.write(database(), settings(path), path, extra=more, replace=False)
        if renewed:
            write(path, database(NEW_URL), replace=True)
        record_changes.forget("DATABASE_URL", settings(path), path)
        assert put_back(path) == content


@pytest.mark.parametrize("first", ["DATABASE_URL", "ANALYTICS_DATABASE_URL"])
@pytest.mark.parametrize("content", CONTENTS)
def test_in_whatever_order_two_databases_go(
    tmp_path: Path, content: bytes | None, first: str
) -> None:
    path = tmp_path / ".env"
    if content is not None:
        path.write_bytes(content)
    keys = ["DATABASE_URL", "ANALYTICS_DATABASE_URL"]
    for key in keys:
        write(path, database(key=key))
    for key in sorted(keys, key=lambda key: key != first):
        record_changes.forget(key, settings(path), path)
    assert put_back(path) == content


OWN = [
    b"DATABASE_URL=postgres://app:secret@localhost/shop",
    b"A=1\nDATABASE_URL=postgres://app:secret@localhost/shop\nB=2\n",
    b"A=1\r\n  export DATABASE_URL='postgres://a'  # mine\r\nDATABASE_URL_DIRECT=postgres://b",
    b"DATABASE_URL=postgres://earlier\n\nDATABASE_URL=postgres://later\n# a\nC=${DATABASE_URL}\n",
    b'DATABASE_URL="postgres://a\nb"\nOTHER_URL=postgres://c\n',
]


@pytest.mark.parametrize("renewed", [False, True])
@pytest.mark.parametrize("content", OWN)
def test_ones_own_url_is_a_comment_meanwhile_and_comes_back(
    tmp_path: Path, content: bytes, renewed: bool
) -> None:
    path = tmp_path / ".env"
    path.write_bytes(content)
    write(path, replace=True)
    if renewed:
        write(path, database(NEW_URL), replace=True)
    values = dotenv_values(path)
    assert values["DATABASE_URL"] == (NEW_URL if renewed else database().url)
    assert b"# before neonup: " in path.read_bytes()
    record_changes.forget("DATABASE_URL", settings(path), path)
    assert path.read_bytes() == content


def test_what_was_added_since_then_stays(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    path.write_bytes(path.read_bytes() + b"A=1\n")
    record_changes.forget("DATABASE_URL", settings(path), path)
    assert path.read_bytes() == b"A=1\n"
    path.write_bytes(b"A=1")
    write(path)
    path.write_bytes(path.read_bytes() + b"B=2")
    record_changes.forget("DATABASE_URL", settings(path), path)
    assert path.read_bytes() == b"A=1\nB=2"


def test_a_link_stays_one_and_what_it_led_to_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.symlink_to("later.env")
    write(path)
    record_changes.forget("DATABASE_URL", settings(path), path)
    assert path.is_symlink()
    assert names(tmp_path) == [".env"]


@pytest.mark.parametrize("content", [None, b"", b"A=1"])
def test_destroy_leaves_no_trace(project: Project, content: bytes | None) -> None:
    if content is not None:
        project.env_file.write_bytes(content)
    before = names(project.folder)
    project.ok()
    project.ok("reset", "--yes")
    project.ok("destroy", "--yes")
    assert put_back(project.env_file) == content
    assert names(project.folder) == before


REPLACE = """
import sys
from pathlib import Path
from neonup.env import files
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    files.replace(path, b"A=1\\n" * 500_000)
    (path.parent / "new").unlink(missing_ok=True)
    files.create(path.parent / "new", b"A=1\\n" * 500_000)
"""


def test_nothing_is_left_of_a_killed_writer(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", REPLACE, path], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            inode = path.stat().st_ino
            while path.stat().st_ino == inode:  # it is at the next one now
                pass
            writer.kill()
        assert set(names(tmp_path)) <= {".env", "new"}


def test_a_leftover_of_the_moment_before_a_rename_is_swept(tmp_path: Path) -> None:
    path, left = tmp_path / ".env", tmp_path / ".env.0123456789abcdef.pyc"
    other = tmp_path / ".env.other.pyc"
    for one in (path, left, other):
        one.write_text("A=1\n")
        os.utime(one, (0, 0))
    files.replace(path, b"A=2\n")
    assert names(tmp_path) == [".env", ".env.other.pyc"]


@needs_root
def test_root_gives_nothing_away_in_a_folder_of_another_user(tmp_path: Path) -> None:
    """Its owner puts a link to a file of root's in the place of whatever appears there."""
    folder, secret = tmp_path / "theirs", tmp_path / "secret"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    secret.write_text("root's")
    secret.chmod(0o600)
    path = folder / ".env"
    path.write_text("A=1\n")
    path.chmod(0o666)
    os.chown(path, 65534, 65534)
    link = tmp_path / "link"
    seen: set[str] = set()
    over = threading.Event()

    def attack() -> None:
        while not over.is_set():
            for name in {".env.neonup", *os.listdir(folder)} - {".env"}:  # noqa: PTH208
                seen.add(name)
                link.unlink(missing_ok=True)
                link.symlink_to(secret)
                os.lchown(link, 65534, 65534)
                link.replace(folder / name)

    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        for number in range(300):
            try:
                files.replace(path, f"A={number}\n".encode())
            except EnvFileError:
                path.unlink()  # a link to root's file by now
                path.write_text("A=1\n")
                path.chmod(0o666)
                os.chown(path, 65534, 65534)
    finally:
        over.set()
        attacker.join()
    status = secret.stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (0, 0o600)
    assert secret.read_text() == "root's"
    repository = tmp_path / "repository"
    repository.mkdir()
    subprocess.run(["git", "init", "-q", repository], check=True)
    (repository / ".gitignore").write_text("__pycache__/\n*.py[cod]\n.env\n")  # GitHub's, in part
    for name in seen - {".env.neonup"}:
        subprocess.run(["git", "-C", repository, "check-ignore", "-q", name], check=True)


@needs_root
@pytest.mark.parametrize("how", ["append", "replace"])
def test_root_does_not_follow_another_users_link_to_a_file_of_roots(
    tmp_path: Path, how: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root's")
    path = tmp_path / "theirs" / ".env"
    path.parent.mkdir()
    path.symlink_to(secret)
    os.lchown(path, 65534, 65534)
    with pytest.raises(EnvFileError, match="another user's link"):
        getattr(files, how)(path, b"A=1\n")
    assert secret.read_text() == "root's"
    os.chown(secret, 65534, 65534)  # both are theirs: a link as any other
    getattr(files, how)(path, b"A=1\n")
    assert secret.read_text().endswith("A=1\n")


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    with subprocess.Popen(
        [sys.executable, "-c", REPLACE, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.send_signal(signal.SIGINT)
    assert set(names(tmp_path)) <= {".env", "new"}
