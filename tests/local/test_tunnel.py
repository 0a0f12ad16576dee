"""The tunnel through which a psql without TLS reaches a server that wants it."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from pathlib import Path

import psycopg
import pytest

from neonup import SqlError, run_script
from neonup.clients.psql import find_psql, psql_command
from tests.postgres import Server, programs
from tests.psql import PASSWORD, ROLE, ask, with_name


@pytest.fixture(scope="session")
def without_tls() -> Path:
    """A folder with the psql that knows no TLS."""
    return programs(tls=False)


def test_a_psql_without_tls_goes_through_the_tunnel(tls_url: str, without_tls: Path) -> None:
    assert find_psql(tls_url, without_tls).tls is False
    url = with_name(f"{tls_url}&channel_binding=require")
    assert ask(url, pg_bin=without_tls) == f"{ROLE}|t|t|a b"


def test_a_whole_script_through_the_tunnel(tls_url: str, without_tls: Path, tmp_path: Path) -> None:
    script = tmp_path / "seed.sql"
    script.write_text("CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n" + "1\tx\n" * 50_000)
    for _ in range(2):
        run_script(tls_url, script, once=True, pg_bin=without_tls)
    with psycopg.connect(tls_url) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (50_000,)
    script.write_text("SELECT 1;\nSELECT 1/0;\n")
    with pytest.raises(SqlError, match=r"seed.sql, line 2: division by zero"):
        run_script(tls_url, script, once=True, pg_bin=without_tls)


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_the_tunnel_verifies(
    tls_url: str, tls_server: Server, without_tls: Path, tmp_path: Path, mode: str
) -> None:
    script = tmp_path / "seed.sql"
    script.write_text("SELECT 1;")

    def run(url: str, roots: Path | str) -> None:
        query = f"sslmode={mode}&sslrootcert={roots}"
        url = url.replace("sslmode=require", query)
        run_script(url, script, once=True, pg_bin=without_tls)

    run(tls_url, tls_server.roots)
    with pytest.raises(SqlError, match=r"its certificate: .*issuer"):
        run(tls_url, tls_server.wrong_roots)
    with pytest.raises(SqlError, match="certificate file cannot be used"):
        run(tls_url, tmp_path / "missing.pem")
    other_name = tls_url.replace("127.0.0.1", "127.0.0.2")  # not in the certificate
    if mode == "verify-ca":
        run(other_name, tls_server.roots)
    else:
        with pytest.raises(SqlError, match="IP address mismatch"):
            run(other_name, tls_server.roots)


def test_the_tunnel_trusts_the_machines_roots(
    tls_url: str,
    tls_server: Server,
    without_tls: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    script = tmp_path / "seed.sql"
    script.write_text("SELECT 1;")
    url = tls_url.replace("sslmode=require", "sslrootcert=system")
    for pg_bin in (without_tls, None):
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        with pytest.raises(SqlError, match="certificate"):
            run_script(url, script, once=True, pg_bin=pg_bin)
        monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.roots))
        run_script(url, script, once=True, pg_bin=pg_bin)


def test_a_server_without_tls_is_not_reached_in_plain(
    plain_server: Server, without_tls: Path, tmp_path: Path
) -> None:
    url = plain_server.create(ROLE, PASSWORD, f"d{uuid.uuid4().hex}") + "?sslmode=require"
    script = tmp_path / "seed.sql"
    script.write_text("CREATE TABLE t ();")
    with pytest.raises(SqlError, match="the server has no TLS"):
        run_script(url, script, once=True, pg_bin=without_tls)


def test_the_programs_status_is_the_tunnels(tls_url: str, without_tls: Path) -> None:
    argv, environ = psql_command(tls_url, without_tls)
    done = subprocess.run(
        [*argv, "-X", "-c", "SELECT 1/0"], env=environ, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"division by zero" in done.stderr


def test_the_tunnel_goes_to_the_next_host(tls_url: str, without_tls: Path) -> None:
    url = tls_url.replace("127.0.0.1:", "127.0.0.1:1,localhost:")
    assert ask(url, "SELECT 1", pg_bin=without_tls) == "1"


def test_an_interrupt_cancels_the_query_and_the_tunnel_ends(
    tls_url: str, without_tls: Path
) -> None:
    argv, environ = psql_command(tls_url, without_tls)
    with subprocess.Popen(
        [*argv, "-X", "-c", "SELECT pg_sleep(60)"],
        env=environ,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        with psycopg.connect(tls_url, autocommit=True) as connection:
            while connection.execute(f"{query} AND datname = current_database()").fetchone() != (
                1,
            ):
                assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        assert b"canceling statement" in process.communicate(timeout=60)[1]
