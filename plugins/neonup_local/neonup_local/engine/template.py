"""The data directory that every new database is a copy of: ``initdb`` runs once an engine.

Made in a temporary sibling and renamed into place when complete, so that a killed run leaves
nothing that looks like a template. Neither it nor a copy is forced to the disk one file at a time:
the upkeep does so for all at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from neonup import EngineError
from neonup.plugin import progress
from neonup_local.engine import config, initdb, program, sizes
from neonup_local.engine.account import SystemAccount
from neonup_local.engine.binaries import Engine

ADMIN = "cloud_admin"
OWNER = "neondb_owner"
DATABASE = "neondb"
"""Neon's own names: of its superuser, of a project's first role and of its first database."""

ROUNDS = 4096
"""Of hashing, for a password: Postgres's default, and the fewest that some drivers accept.

https://datatracker.ietf.org/doc/html/rfc7677#section-4
"""

FORM = 4
"""Counted up when what is in a template changes, or when older ones cannot be relied on: those of
form 3 may know the password of a home that is gone."""

_GROUP = "neon_superuser"
_GRANTS = {
    "pg_read_all_data": 14,
    "pg_write_all_data": 14,
    "pg_monitor": 10,
    "pg_signal_backend": 9,
    "pg_checkpoint": 15,
    "pg_create_subscription": 16,
    "pg_use_reserved_connections": 16,
    "pg_maintain": 17,
    "pg_signal_autovacuum_worker": 18,
}
"""What Neon's ``neon_superuser`` may, and the major version that brought each role.

https://neon.com/docs/manage/roles#the-neon_superuser-role
"""


def folder(home: Path, engine: Engine) -> Path:
    """Where an engine's template is or would be."""
    return home / "templates" / f"{engine.id}-{FORM}"


def spares(home: Path, engine: Engine) -> Path:
    """Where finished copies of an engine's template wait for their use."""
    return home / "spares" / f"{engine.id}-{FORM}"


def admin_file(home: Path) -> Path:
    """The file in a home with the superuser's password."""
    return home / ADMIN


def admin_password(home: Path) -> str:
    """The superuser's password, one for all databases in a home; made at the first call."""
    path = admin_file(home)
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    with tempfile.NamedTemporaryFile("w", dir=home, prefix=".tmp-", delete=False) as file:
        file.write(secrets.token_urlsafe(24))  # the file is 0600, as tempfile makes it
    try:
        os.link(file.name, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        Path(file.name).unlink()
    return path.read_text(encoding="ascii").strip()


def scram_verifier(password: str, rounds: int = ROUNDS) -> str:
    """What Postgres stores for a password, so that the password itself never reaches it.

    https://www.postgresql.org/docs/current/catalog-pg-authid.html

    Args:
        password: the password.
        rounds: of hashing, for the server and each client that connects.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${rounds}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def ensure(home: Path, engine: Engine, account: SystemAccount) -> Path:
    """The engine's template, made where it is missing. Call it under the engine's lock.

    Raises:
        EngineError: it could not be made; nothing half-made is left.
    """
    target = folder(home, engine)
    if (target / "PG_VERSION").is_file():
        return target
    target.parent.mkdir(exist_ok=True)
    target.parent.chmod(0o711)
    for leftover in target.parent.glob(".making-*"):  # of a killed run: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = target.parent / f".making-{secrets.token_hex(4)}"
    make(home, engine, account, temporary)
    temporary.rename(target)
    return target


def make(home: Path, engine: Engine, account: SystemAccount, target: Path) -> None:
    """Make a data directory with Neon's roles and database, whole or not at all.

    Raises:
        EngineError: it could not be made; nothing half-made is left.
    """
    for path in (engine.program("postgres"), target.parent):
        account.must_reach(path)
    try:
        target.mkdir(mode=0o700)
        account.own(target)
        with progress.work(f"Making the first data of Postgres {engine.major}"):
            initdb.run(engine, target, account, superuser=ADMIN)
            (target / "pg_hba.conf").write_text(config.HBA, encoding="utf-8")
            (target / "postgresql.conf").write_text(config.CONF, encoding="utf-8")
            single_user(engine, target, account, _statements(home, engine), sync=False)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, OSError):
            raise _no_room(target, program.reason(error)) from None
        raise


def _no_room(target: Path, reason: str) -> EngineError:
    return EngineError(
        f"A new data directory could not be created in {target.parent}: {reason}.",
        remedy="Free some space or allow writing there, or set NEONUP_HOME to another folder.",
    )


def _statements(home: Path, engine: Engine) -> list[str]:
    can = "CREATEDB CREATEROLE BYPASSRLS REPLICATION"
    grants = [name for name, since in _GRANTS.items() if engine.major >= since]
    return [
        f"ALTER ROLE {ADMIN} PASSWORD '{scram_verifier(admin_password(home))}'",
        f"CREATE ROLE {_GROUP} NOLOGIN {can}",
        f"GRANT {', '.join(grants)} TO {_GROUP} WITH ADMIN OPTION",
        f"CREATE ROLE {OWNER} LOGIN {can} IN ROLE {_GROUP}",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER} STRATEGY FILE_COPY",
    ]


def single_user(
    engine: Engine,
    data: Path,
    account: SystemAccount,
    statements: Sequence[str],
    *,
    sync: bool = True,
) -> None:
    """Run statements as the superuser in a data directory whose server is not running.

    Its input closes when this process dies, so nothing is left running.

    Args:
        engine: the programs, of the data's major version.
        data: the data directory.
        account: its owner.
        statements: one a line.
        sync: False where all is new, and synchronised as a whole afterwards.

    Raises:
        EngineError: a statement failed.
    """
    program.run_named(
        [
            *(str(engine.program("postgres")), "--single", "-D", str(data)),
            *("-c", "exit_on_error=on", "-c", "log_checkpoints=off", "-c", "log_statement=none"),
            *("-c", "log_min_error_statement=panic", "-c", "log_min_messages=error"),
            *("-c", f"fsync={'on' if sync else 'off'}"),
            *config.arguments(config.of_machine(engine, account)),
            "postgres",
        ],
        account,
        what="postgres --single",
        stdin="\n".join([*statements, ""]),
    )


def copy(source: Path, target: Path, account: SystemAccount) -> None:
    """Copy a data directory; with shared blocks where the file system has them.

    Raises:
        EngineError: it cannot be copied, e.g. the disk is full; the target is gone then.
    """
    try:
        with progress.work("Copying the data", sizes.of_copy(lambda: sizes.size(source), target)):
            _copy(source, target, account)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, OSError):
            raise _no_room(target, program.reason(error)) from None
        raise


def _copy(source: Path, target: Path, account: SystemAccount) -> None:
    if sys.platform == "linux" and shutil.which("cp"):
        command = ["cp", "-a", "--reflink=auto", "--", str(source.resolve()), str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise _no_room(target, done.stderr.strip().rpartition(": ")[2])
        return
    shutil.copytree(source, target, symlinks=True)
    for path in (target, *target.rglob("*")):
        account.own(path)


def flush(folder: Path) -> None:
    """Wait until all that was written in a folder is on its disk; not where that is unknown."""
    if sys.platform == "linux" and shutil.which("sync"):
        subprocess.run(["sync", "-f", folder], stderr=subprocess.DEVNULL, check=False)
    elif hasattr(os, "sync"):
        os.sync()
