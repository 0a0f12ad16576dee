"""A ``DATABASE_URL`` on this machine that nobody answers, e.g. of a copied ``.env.example``."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server
from tests.project import Project

REMEDY = "`neonup --force` creates a database in its place"


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port on which nothing listens, and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def example(project: Project, free_port: int) -> Project:
    """A project whose ``.env`` was copied from an example."""
    url = f"postgresql://app:secret@127.0.0.1:{free_port}/shop"
    (project.folder / ".env").write_text(f"A=1\nDATABASE_URL={url}\nB=2\n")
    return project


def test_each_start_says_that_nothing_listens_and_what_to_do(
    example: Project, free_port: int
) -> None:
    place = f"nothing listens at 127.0.0.1:{free_port}"
    said = example.ok()
    assert "found your own database" in said
    assert place in said and REMEDY in said
    assert "secret" not in said
    started = example.python("import neonup; neonup.ensure()")
    assert place in started.stderr and REMEDY in started.stderr


def test_status_and_doctor_say_so(example: Project, free_port: int) -> None:
    status = example.json("status")
    assert status["state"] == "stopped"
    assert status["detail"]["answers"] == f"no: nothing listens at 127.0.0.1:{free_port}"
    assert REMEDY in example.ok("status")
    doctor = example.neonup("doctor")
    assert doctor.returncode == 1
    assert f"nothing listens at 127.0.0.1:{free_port}" in doctor.stdout
    assert REMEDY in doctor.stdout


def test_force_creates_one_in_its_place(example: Project) -> None:
    before = (example.folder / ".env").read_bytes()
    said = example.ok("--force")
    assert "created a local Postgres" in said
    assert "your own DATABASE_URL is a comment in .env; `neonup destroy` puts it back" in said
    assert example.query("SELECT 1") == "1"
    lines = (example.folder / ".env").read_text().splitlines()
    assert lines[0] == "A=1" and "B=2" in lines
    assert sum(line.startswith("DATABASE_URL=") for line in lines) == 1
    assert "is your own line of before again" in example.ok("destroy", "--yes")
    assert (example.folder / ".env").read_bytes() == before


@pytest.mark.parametrize("kind", [socket.AF_INET, socket.AF_UNIX], ids=["port", "socket"])
def test_what_listens_is_left_alone(project: Project, tmp_path: Path, kind: int) -> None:
    """It may be anything: nothing is sent to it."""
    with socket.socket(kind) as server:
        if kind == socket.AF_UNIX:
            server.bind(str(tmp_path / ".s.PGSQL.5432"))
            url = f"postgresql://app@/shop?host={tmp_path}"
        else:
            server.bind(("127.0.0.1", 0))
            url = f"postgresql://app@localhost:{server.getsockname()[1]}/shop"
        server.listen()
        (project.folder / ".env").write_text(f"DATABASE_URL={url}\n")
        assert "nothing listens" not in project.ok()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://app@/shop?host={folder}&port=6543", "{folder}/.s.PGSQL.6543"),
        ("postgresql://app@[::1]:{port}/shop", "[::1]:{port}"),
        ("postgresql://app@127.0.0.1:{port},localhost:{port}/shop", "127.0.0.1:{port}, localhost"),
    ],
    ids=["socket", "IPv6", "two servers"],
)
def test_every_way_to_this_machine(
    project: Project, tmp_path: Path, free_port: int, url: str, place: str
) -> None:
    values = {"folder": tmp_path, "port": free_port}
    (project.folder / ".env").write_text(f"DATABASE_URL={url.format(**values)}\n")
    assert f"nothing listens at {place.format(**values)}" in project.ok()


def test_a_postgres_of_ones_own_is_found(project: Project, plain_server: Server) -> None:
    url = plain_server.create("somebody", "a password", f"own_{uuid.uuid4().hex}")
    (project.folder / ".env").write_text(f"DATABASE_URL={url}\n")
    said = project.ok()
    assert "found your own database" in said
    assert "nothing listens" not in said
    assert project.json("status")["state"] == "ready"


def test_another_machine_is_not_asked(project: Project) -> None:
    """TEST-NET-1 (RFC 5737): a connection there would time out."""
    (project.folder / ".env").write_text("DATABASE_URL=postgresql://app@192.0.2.1/shop\n")
    assert "nothing listens" not in project.ok()
