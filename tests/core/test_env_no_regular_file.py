"""``.env`` that is a directory, a pipe, a device ...: whoever needs no file does not notice."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import neonup
from neonup import EnvFileError
from neonup.env import dotenv, pipe
from neonup.settings import resolve
from neonup.start import lookup
from tests.project import Project

URL = "postgresql://app:x@db.example/shop"
LINE = f"DATABASE_URL={URL}\n"


def _socket(path: Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)  # whose path may be longer than an address


KINDS: dict[str, Callable[[Path], object]] = {
    "a directory": Path.mkdir,
    "a named pipe": os.mkfifo,
    "a socket": _socket,
    "a device": lambda path: path.symlink_to("/dev/null"),
    "a loop of symbolic links": lambda path: path.symlink_to(path),
}
NO_REASON = [{}, {"NEONUP": "off"}, {"NEONUP_ENV": "production"}]
"""Environments in which a URL in the environment is all that is needed."""

AS_NOBODY = """
import os
import neonup.start.lookup
if os.geteuid() == 0:  # not before: the interpreter may be where only root can look
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
print(neonup.find().url)
"""


@pytest.mark.parametrize("name", [".env", ".env.local"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_url_in_the_environment_needs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    KINDS[kind](tmp_path / name)
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("NEONUP_BANNER", "off")
    monkeypatch.chdir(tmp_path)
    for environ in NO_REASON:
        with monkeypatch.context() as more:
            for variable, value in environ.items():
                more.setenv(variable, value)
            database = neonup.ensure()
        assert (database.url, database.source) == (URL, "environment")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a named pipe"])
def test_for_reading_it_counts_as_no_file(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / ".env.local")
    assert neonup.find(tmp_path) is None
    (tmp_path / ".env").write_text(LINE)
    found = neonup.find(tmp_path)
    assert found is not None
    assert found.url == URL


@pytest.mark.parametrize("kind", KINDS)
def test_only_writing_refuses_and_says_what_is_there(project: Project, kind: str) -> None:
    KINDS[kind](project.env_file)
    with writing(project.env_file, "A=1\n") if kind == "a named pipe" else contextlib.nullcontext():
        said = project.fails()
    assert f"{project.env_file} is {kind}, and cannot be written to." in said
    assert "--env .env.local" in said
    assert project.json("list") == []  # nothing was created before that was known


@pytest.mark.parametrize("kind", KINDS)
def test_doctor_needs_none_where_the_environment_has_a_url(project: Project, kind: str) -> None:
    KINDS[kind](project.env_file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        doctor = project.ok("doctor", DATABASE_URL=f"postgresql://app:x@127.0.0.1:{port}/shop")
    assert (
        f"{project.env_file} is {kind}, and cannot be written to. "
        "None is needed: DATABASE_URL is set in the environment."
    ) in doctor
    assert "from environment" in doctor
    if kind != "a named pipe":  # which nobody writes to here
        refused = project.neonup("doctor")
        assert refused.returncode == 1
        assert "--env .env.local" in refused.stdout


def test_another_file_can_be_named(project: Project) -> None:
    project.env_file.mkdir()
    project.ok(NEONUP_ENV_FILE=".env.local")
    assert project.ok("url").startswith("postgresql://neondb_owner:")
    assert not any(project.env_file.iterdir())


def test_the_tests_of_a_project_run_beside_a_directory(project: Project) -> None:
    project.env_file.mkdir()
    (project.folder / "test_shop.py").write_text(
        "def test_x(neon_connection): assert neon_connection.execute('SELECT 1').fetchone() == (1,)"
    )
    done = project.command(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o",
         "neon_env=DATABASE_URL"],
        DATABASE_URL=URL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("environ", NO_REASON)
def test_nobody_may_read_it_and_nobody_needs_to(tmp_path: Path, environ: dict[str, str]) -> None:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o111)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / ".env").write_text(LINE)
    (tmp_path / ".env").write_text(LINE)
    (tmp_path / ".env").chmod(0)
    hidden.chmod(0)
    try:
        for env_file in (".env", "hidden/.env"):
            for url in (URL, ""):
                done = subprocess.run(
                    [sys.executable, "-c", AS_NOBODY],
                    cwd=tmp_path,
                    env={**os.environ, **environ, "NEONUP_HOME": "/nonexistent",
                         "DATABASE_URL": url, "NEONUP_ENV_FILE": env_file},
                    capture_output=True,
                    text=True,
                    check=False,
                )  # fmt: skip
                if url:
                    assert done.stdout == f"{URL}\n", done.stderr
                else:
                    assert f"{env_file} cannot be read: Permission denied." in done.stderr
    finally:
        hidden.chmod(0o700)


def test_a_file_larger_than_any_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / ".env").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(EnvFileError, match="larger than 4 MB"):
        neonup.find(tmp_path)
    monkeypatch.setenv("DATABASE_URL", URL)
    found = neonup.find(tmp_path)
    assert found is not None
    assert found.source == "environment"


@contextmanager
def writing(path: Path, content: str, *, often: bool = False) -> Iterator[None]:
    """Somebody who writes to a pipe when it is opened for reading: once, or each time."""
    text = path.with_name("content")
    text.write_text(content)
    once = 'cat "$0" > "$1"'
    command: list[str | Path] = [
        "sh",
        "-c",
        f"while :; do {once}; sleep 0.2; done" if often else once,
        text,
        path,
    ]
    with subprocess.Popen(command, start_new_session=True) as writer:
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(writer.pid, signal.SIGKILL)


def test_a_pipe_is_read_once_in_a_process(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    os.mkfifo(path)
    with writing(path, LINE):
        found = [neonup.find(tmp_path) for _ in range(3)]
    assert [database and database.url for database in found] == [URL] * 3


def test_a_pipe_is_read_once_in_a_start(project: Project) -> None:
    os.mkfifo(project.env_file)
    code = "import neonup; print(neonup.ensure().url)"
    with writing(project.env_file, LINE):
        done = project.neonup("run", "--", sys.executable, "-c", code)
    assert done.stdout == f"{URL}\n", done.stderr


def test_processes_that_read_at_once_each_get_all(project: Project) -> None:
    os.mkfifo(project.env_file)
    content = "".join(f"# {number:020}\n" for number in range(10_000)) + LINE  # 4 pipes full
    code = """
import sys
from pathlib import Path
from neonup.env import dotenv
sys.stdin.readline()
text = dotenv.read(Path(".env")).text
print(text[:len(text) // text.count("DATABASE_URL=")] if "DATABASE_URL=" in text else "")
"""
    with writing(project.env_file, content, often=True):
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=project.folder,
                env=project.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for reader in readers:
            assert reader.stdin is not None
            reader.stdin.write("go\n")
            reader.stdin.flush()
        texts = [reader.communicate(timeout=60)[0] for reader in readers]
    assert [text == f"{content}\n" for text in texts] == [True] * 3


def test_a_pipe_that_nobody_writes_to_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    os.mkfifo(path)
    with pytest.raises(EnvFileError, match=r"named pipe, and nobody wrote to it within 0\.1 s"):
        pipe.read(path, 100, patience=0.1)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, b"A=1")
    try:
        with pytest.raises(EnvFileError, match="did not end"):
            pipe.read(path, 100, patience=0.1)
    finally:
        os.close(writer)


def test_a_command_does_not_wait_for_a_pipe_for_ever(project: Project) -> None:
    os.mkfifo(project.env_file)
    said = project.fails("status")
    assert f"{project.env_file} is a named pipe, and nobody wrote to it within 10 s." in said
    assert "set the variable in the environment" in said


def test_a_pipe_without_end_is_not_read_to_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    os.mkfifo(path)
    with subprocess.Popen(["sh", "-c", 'yes A=1 > "$0"', path]) as writer:
        with pytest.raises(EnvFileError, match="larger than 4 MB"):
            dotenv.read(path)
        assert writer.wait(60) in (0, -signal.SIGPIPE, 128 + signal.SIGPIPE)


def test_a_file_descriptor_of_the_shell_is_read(project: Project) -> None:
    """As in ``neonup env --env <(sops decrypt .env)``."""
    done = project.command(
        ["bash", "-c", f'"{sys.executable}" -m neonup env --env <(echo "{LINE.strip()}")']
    )
    assert done.stdout == f"export DATABASE_URL={URL}\n", done.stderr


def test_a_marked_url_does_not_hide_that_the_file_is_gone(tmp_path: Path) -> None:
    """Only a pipe cannot be read again: then the environment's value is the file's."""
    environ: dict[str, str] = {}
    lookup.mark("DATABASE_URL", URL, environ)
    settings = resolve(tmp_path)
    assert lookup.find_database(settings, environ) is None
    os.mkfifo(tmp_path / ".env")
    found = lookup.find_database(settings, environ)
    assert found is not None
    assert (found.url, found.source) == (URL, str(tmp_path / ".env"))
