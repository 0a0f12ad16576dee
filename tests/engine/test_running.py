"""This machine's wheel, run: what a project asks of a Postgres."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from engine import parts
from tests.engine.test_wheels import EXTENSIONS, MORE
from tests.postgres import ADMIN_PASSWORD, Server, running

STYLE = (
    '<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform">'
    '<x:output method="text"/></x:stylesheet>'
)
HERE = parts.this_machine()
pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(installed: Path) -> Iterator[Server]:
    with running(tls=True, folder=installed / "bin") as started:
        yield started


def client(installed: Path, server: Server, program: str, *arguments: str) -> str:
    """What a client program prints, connected with TLS and a verified certificate."""
    environ = {**os.environ, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(server.roots)}
    place = ["--host=localhost", f"--port={server.port}", "--username=admin"]
    done = subprocess.run(
        [installed / "bin" / program, *place, *arguments],
        env={**environ, "PGPASSWORD": ADMIN_PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("extension", sorted({*EXTENSIONS, *MORE[HERE.name if HERE else ""]}))
def test_an_extension_is_created(server: Server, extension: str) -> None:
    with server.admin() as connection:
        name = sql.Identifier(extension)
        database = sql.Identifier(f"of {extension}")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
        with server.admin(f"of {extension}") as own:
            own.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(name))
            found = own.execute("SELECT 1 FROM pg_extension WHERE extname = %s", [extension])
            assert found.fetchone() == (1,)
        connection.execute(sql.SQL("DROP DATABASE {}").format(database))


def test_every_extension_that_it_has_is_known(server: Server) -> None:
    with server.admin() as connection:
        rows = connection.execute("SELECT name FROM pg_available_extensions").fetchall()
    assert {name for (name,) in rows} == {*EXTENSIONS, *MORE[HERE.name if HERE else ""]}


def test_functions_of_the_extensions_that_need_libraries(server: Server) -> None:
    asked = {
        "SELECT crypt('secret', gen_salt('bf')) LIKE '$2a$%'": "pgcrypto",
        "SELECT pgp_sym_decrypt(pgp_sym_encrypt('secret', 'key'), 'key') = 'secret'": "pgcrypto",
        "SELECT uuid_generate_v4() <> uuid_generate_v4()": '"uuid-ossp"',
        "SELECT uuid_generate_v5(uuid_ns_url(), 'a') = uuid_generate_v5(uuid_ns_url(), 'a')": (
            '"uuid-ossp"'
        ),
        f"SELECT xslt_process('<a>b</a>', '{STYLE}') = 'b'": "xml2",
        "SELECT ssl_is_used()": "sslinfo",
        "SELECT xpath_exists('/a', '<a/>'::xml)": "plpgsql",
        "SELECT '[1,2]'::vector <-> '[1,3]' = 1": "vector",
    }
    with server.admin() as connection:
        for statement, extension in asked.items():
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}".encode())
            assert connection.execute(statement.encode()).fetchone() == (True,), statement


def test_collations_of_icu_sort_by_the_language(server: Server) -> None:
    with server.admin() as connection:
        for collation, expected in (("sv-x-icu", "zä"), ("de-x-icu", "äz"), ("C", "zä")):
            statement = sql.SQL("SELECT string_agg(c, '' ORDER BY c COLLATE {}) FROM {} t (c)")
            row = connection.execute(
                statement.format(sql.Identifier(collation), sql.SQL("unnest(ARRAY['ä', 'z'])"))
            ).fetchone()
            assert row == (expected,), collation


def test_the_client_programs_work_with_tls(installed: Path, server: Server, tmp_path: Path) -> None:
    asked = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert client(installed, server, "psql", "-Atc", asked, "postgres") == "t|TLSv1.3\n"
    client(installed, server, "pgbench", "--initialize", "--quiet", "postgres")
    dump = tmp_path / "dump"
    client(installed, server, "pg_dump", "--format=custom", f"--file={dump}", "postgres")
    client(installed, server, "psql", "-c", "CREATE DATABASE restored", "postgres")
    client(installed, server, "pg_restore", "--dbname=restored", str(dump))
    count = ["-Atc", "SELECT count(*) FROM pgbench_accounts", "restored"]
    assert client(installed, server, "psql", *count) == "100000\n"
    assert "CREATE ROLE admin" in client(installed, server, "pg_dumpall", "--roles-only")
    assert "accepting" in client(installed, server, "pg_isready")
