"""libpq's variables do not change how databases of neonup's own are reached."""

from __future__ import annotations

import os
import subprocess
import threading
import uuid
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest
from psycopg import conninfo, pq

from neonup import drivers, libpq
from neonup.clients.psql import candidates, knows_tls, psql_command
from tests.hostile_variables import HOSTILE
from tests.postgres import Server
from tests.project import Project

OWN = "SELECT current_database() LIKE 'own_%' AND current_user = 'somebody'"


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine's own variables."""
    for name in libpq.CONNECTION:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def url(plain_server: Server) -> str:
    """The URL of a database on a server without TLS."""
    return plain_server.create("somebody", "a password", f"own_{uuid.uuid4().hex}")


def test_no_variable_of_libpqs_is_missing() -> None:
    known = {
        option.keyword.decode(): option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar
    }
    assert known.items() <= libpq.VARIABLES.items()
    assert {*HOSTILE, "PGREQUIRESSL"} >= libpq.CONNECTION


@pytest.mark.parametrize("name", [*sorted(HOSTILE), "all"])
@pytest.mark.usefixtures("clean")
def test_a_driver_in_this_process_meets_none(
    name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in HOSTILE.items() if name == "all" else [(name, HOSTILE[name])]:
        monkeypatch.setenv(variable, value)
    with (
        libpq.service_hidden(),
        psycopg.connect(libpq.hardened(url)) as connection,
    ):
        assert connection.execute(OWN).fetchone() == (True,)


@pytest.mark.usefixtures("clean")
def test_programs_meet_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in HOSTILE.items():
        monkeypatch.setenv(variable, value)
    argv, environ = psql_command(url, own=True)
    done = subprocess.run([*argv, "-XAtc", OWN], env=environ, capture_output=True, check=False)
    assert done.stdout == b"t\n", done.stderr


@pytest.mark.usefixtures("clean")
def test_where_nothing_is_set_the_url_stays_as_it_is(url: str) -> None:
    assert libpq.hardened(url) == url


@pytest.mark.usefixtures("clean")
def test_what_a_url_says_itself_stays(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=1MB")
    with psycopg.connect(libpq.hardened(f"{url}?options=-c%20work_mem%3D3MB")) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("3MB",)


@pytest.mark.usefixtures("clean")
def test_ones_own_url_is_completed_by_variables_and_services(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = conninfo.conninfo_to_dict(url)
    mine = f"postgresql:///{parts['dbname']}"
    services = tmp_path / "services"
    services.write_text(f"[mine]\nhost={parts['host']}\nport={parts['port']}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGSERVICE", "mine")
    monkeypatch.setenv("PGHOST", "192.0.2.1")  # a service goes before it
    monkeypatch.setenv("PGUSER", "somebody")
    monkeypatch.setenv("PGPASSWORD", "a password")
    argv, environ = psql_command(mine)
    done = subprocess.run([*argv, "-XAtc", OWN], env=environ, capture_output=True, check=False)
    assert done.stdout == b"t\n", done.stderr
    assert libpq.hardened(mine, own=False) == mine


def test_a_service_is_hidden_until_the_last_one_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICE", "mine")
    inside, go_on = threading.Event(), threading.Event()

    def hide() -> None:
        with libpq.service_hidden():
            inside.set()
            go_on.wait(60)

    other = threading.Thread(target=hide)
    with libpq.service_hidden():
        other.start()
        assert inside.wait(60)
    assert "PGSERVICE" not in os.environ
    go_on.set()
    other.join()
    assert os.environ["PGSERVICE"] == "mine"
    with libpq.service_hidden(hide=False):
        assert os.environ["PGSERVICE"] == "mine"


@pytest.mark.usefixtures("clean")
async def test_asyncpg_meets_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no empty value from a URL, so that for it all of them are hidden."""
    for variable, value in HOSTILE.items():
        monkeypatch.setenv(variable, value)
    with libpq.variables_hidden():
        connection = await asyncpg.connect(**drivers.asyncpg_arguments(url))
    assert await connection.fetchval(OWN)
    await connection.close()
    assert {name: os.environ.get(name) for name in HOSTILE} == HOSTILE


def test_a_program_knows_tls_whatever_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A push took a psql without TLS for one that knows it: a variable made it fail before."""
    paths = [path for path, _ in candidates("psql", None, here=False) if path.is_file()]
    answers = [knows_tls(path) for path in paths]
    for variable, value in HOSTILE.items():
        monkeypatch.setenv(variable, value)
    assert [knows_tls(path) for path in paths] == answers
    assert False in answers


def test_from_the_first_start_to_a_version(project: Project) -> None:
    (project.folder / "seed.sql").write_text("CREATE TABLE a AS SELECT 1 AS n;")
    project.environ |= HOSTILE
    project.ok("--seed", "seed.sql")
    assert project.query("SELECT n FROM a") == "1"
    project.ok("versions", "checkpoint", "before")
    project.query("UPDATE a SET n = 2")
    project.ok("undo", "--yes")
    assert project.query("SELECT n FROM a") == "1"
    project.ok("stop")
    assert project.query("SELECT n FROM a") == "1"


def test_psqls_session_begins_with_what_the_user_wants(project: Project) -> None:
    project.ok()
    project.environ |= {"PGTZ": "Asia/Tokyo", "PGAPPNAME": "me"}
    assert project.query("SHOW timezone") == "Asia/Tokyo"
    assert project.query("SHOW application_name") == "me"


def test_doctor_names_what_the_application_will_meet(project: Project) -> None:
    project.ok()
    said = project.neonup("doctor", PGHOSTADDR="192.0.2.1", PGHOST="192.0.2.1").stdout
    assert "unset PGHOSTADDR" in said
    assert "unset PGHOST\n" not in said
