"""A question that psql puts to a server, as neonup tells it where to connect."""

from __future__ import annotations

import subprocess
from pathlib import Path

from neonup.clients.psql import psql_command

ROLE, PASSWORD = "psql owner", "s3cret %@/:'\" €"

QUERY = (
    "SELECT current_user, current_database() = current_setting('x.dbname'), ssl,"
    " current_setting('application_name') FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
)


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
