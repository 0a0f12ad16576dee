"""Runs a whole SQL script with psql: all of it or nothing, and once where that is wanted."""

from __future__ import annotations

import codecs
import hashlib
import re
import subprocess
from pathlib import Path

from neonup.clients.psql import psql_command
from neonup.errors import SqlError
from neonup.postgres import libpq, urls
from neonup.postgres.reports import ICU, SqlFailure, first_failure, missing_feature

_CHUNK = 1 << 20  # bytes

_OPTIONS = (
    "--no-psqlrc",
    "--quiet",
    "--no-password",  # never ask on a terminal
    "--variable=ON_ERROR_STOP=1",
    "--variable=VERBOSITY=verbose",  # with the SQLSTATE, which no language changes
    "--file=-",
)

# A session's lock, not a transaction's: it holds where the script commits by itself, and while
# the psql of a killed run is still at work. The mark is a comment on the database, which its
# owner may write in the script's own transaction; ALTER DATABASE SET of a name of one's own would
# need a superuser, whom Neon does not give.
_WRAPPER = r"""
SELECT pg_catalog.pg_advisory_lock(x'6e656f6e7570'::bigint);
SELECT :neonup_once AND pg_catalog.strpos(
    coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), ''), :'neonup_mark') > 0
    AS neonup_done
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database() \gset
\if :neonup_done
\quit
\endif
BEGIN;
\i :neonup_script
\set ON_ERROR_STOP 1
RESET ROLE;
SELECT pg_catalog.format('COMMENT ON DATABASE %I IS %L', d.datname, pg_catalog.concat_ws(
    E'\n', pg_catalog.shobj_description(d.oid, 'pg_database'), :'neonup_mark'))
FROM pg_catalog.pg_database d
WHERE :neonup_once AND d.datname = pg_catalog.current_database() \gexec
COMMIT;
"""

_IN_TRANSACTION = "25001"
_REMEDIES = {
    "42501": "Run it as the database's owner, or remove what only a superuser may do.",
    "25P02": "An earlier statement failed, and the script continued regardless.",
}


def run_script(
    url: str,
    path: Path,
    *,
    once: bool,
    pg_bin: Path | None = None,
    folder: Path | None = None,
    own: bool = False,
) -> None:
    r"""Run a SQL script in one transaction: functions, COPY with data, psql's own commands.

    A script that says COMMIT itself is taken at its word: what it committed stays.

    Args:
        url: the database, past a pooler if there is one.
        path: the script, UTF-8 unless it sets ``client_encoding``.
        once: whether to leave out a script of the same content that ran here before. Any number
            of processes may try at the same moment, killed ones included.
        pg_bin: a folder of Postgres programs, from the setting.
        folder: where ``\i`` and ``\copy`` look for files; the current one unless given.
        own: whether neonup created the database, so that libpq's variables change nothing.

    Raises:
        SqlError: the script cannot be read, or a statement failed; nothing of it stayed.
        NeonupError: there is no psql, or the URL cannot be used.
    """
    path = path.absolute()
    variables = {
        "neonup_mark": f"neonup: ran {_digest(path)}",
        "neonup_once": "true" if once else "false",
        "neonup_script": str(path),
    }
    argv, environ = psql_command(urls.direct(url), pg_bin, own=own)
    argv += [*_OPTIONS, *(f"--variable={name}={text}" for name, text in variables.items())]
    done = _wrapped(path, argv, libpq.for_reading(environ), folder)
    if done.returncode:
        raise _error(path, done.returncode, done.stderr)


def _wrapped(
    path: Path, argv: list[str], environ: dict[str, str], folder: Path | None
) -> subprocess.CompletedProcess[str]:
    """Run psql with what goes before the script and after it."""
    try:
        return subprocess.run(
            argv,
            env=environ,
            cwd=folder,
            input=_WRAPPER,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise SqlError(
            f"{path.name} was not run: {argv[0]} cannot be started: {error.strerror}.",
            remedy="neonup doctor shows which programs were found.",
        ) from None


def _digest(path: Path) -> str:
    """The script's SHA-256, in hexadecimal."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding_set = False
    try:
        with path.open("rb") as script:
            start = script.read(5)
            if start == b"PGDMP":
                raise SqlError(
                    f"{path} is a dump in pg_dump's own format, not a SQL script.",
                    remedy=f'pg_restore --no-owner -d "$(neonup url --direct)" {path.name}',
                )
            script.seek(0)
            while chunk := script.read(_CHUNK):
                digest.update(chunk)
                encoding_set = encoding_set or bool(
                    re.search(rb"client_encoding|\\encoding", chunk)
                )
                if not encoding_set:
                    decoder.decode(chunk)
            if not encoding_set:
                decoder.decode(b"", final=True)
    except OSError as error:
        raise SqlError(
            f"The SQL script {path} cannot be read: {error.strerror}.",
            remedy="Correct the path.",
        ) from None
    except UnicodeDecodeError:
        raise SqlError(
            f"The SQL script {path} is not UTF-8.",
            remedy="Save it as UTF-8, or let it begin with: SET client_encoding = 'LATIN1';",
        ) from None
    return digest.hexdigest()


def _error(path: Path, status: int, stderr: str) -> SqlError:
    """What psql said, as an error of ours."""
    failure = first_failure(stderr)
    if status == 2 and not failure.state:  # the connection was not made, or was lost
        return SqlError(
            f"{path.name} did not run to completion: {failure.message}",
            checked=failure.details,
            remedy="It was rolled back. Make sure that the database is reachable, then run "
            "it again.",
        )
    if status < 0:
        return SqlError(
            f"{path.name} did not run to completion: psql was killed by signal {-status}.",
            remedy="It was rolled back. Run it again.",
        )
    place, line = "", failure.line
    if failure.place == str(path):
        place = f", line {line}"
    elif failure.place and failure.place != "<stdin>":  # a file that the script includes
        place, line = f", in {failure.place}, line {line}", None
    else:
        line = None
    return SqlError(
        f"{path.name}{place}: {failure.message}",
        checked=failure.details,
        remedy=_remedy(failure, "25001: there is already a transaction" in stderr),
        line=line,
        missing=_missing_feature(failure),
    )


def _missing_feature(failure: SqlFailure) -> str | None:
    return missing_feature("\n".join((failure.message, *failure.details)))


def _remedy(failure: SqlFailure, commits: bool) -> str:
    again = (
        "What it had committed stays; the rest was rolled back. Correct the script and run it "
        "again."
        if commits
        else "The script was rolled back. Correct it and run it again."
    )
    if feature := _missing_feature(failure):
        what = "was built without ICU" if feature == ICU else f"has no extension {feature}"
        return f"This Postgres {what}. {again}"
    if failure.state == _IN_TRANSACTION:
        return (
            "The script runs in one transaction, where this statement cannot. Leave out "
            "CONCURRENTLY, or put COMMIT; before the statement, at the end of the script. "
            "The script was rolled back."
        )
    if "invalid command \\restrict" in failure.message:
        return f"The dump is newer than the psql that was found: update it. {again}"
    if failure.state in _REMEDIES:
        return f"{_REMEDIES[failure.state]} {again}"
    return again
