"""How Postgres is configured: a new data directory's files, and what depends on the machine."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neonup_local.engine.account import SystemAccount
from neonup_local.engine.binaries import Engine

HBA = """\
# Written by neonup: every connection needs its password.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
local replication all scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""

CONF = """\
# Written by neonup, once: what you add here, or with ALTER SYSTEM, wins over what is included.
# The port and the socket are on the command line.
include_if_exists = '../neonup.conf'
listen_addresses = '127.0.0.1'
password_encryption = 'scram-sha-256'
max_connections = 100

# Small: many of these run beside each other, mostly idle.
shared_buffers = '16MB'
min_wal_size = '4MB'
max_wal_size = '256MB'
jit = off
default_text_search_config = 'pg_catalog.english'

fsync = on

# neonup reads these messages, and tells from the log's age when somebody was here last.
lc_messages = 'C'
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_disconnections = on
"""

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written to


@dataclass(frozen=True)
class ServerOptions:
    """What a server is started with.

    Args:
        port: its port on 127.0.0.1.
        logical_replication: ``wal_level = logical``.
        durable: a commit waits until it is on disk.
        tls: the certificate and the key, readable by the account; None without TLS.
        settings: more of Postgres's own, which win over every file.
    """

    port: int
    logical_replication: bool = False
    durable: bool = False
    tls: tuple[Path, Path] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def of_machine(engine: Engine, account: SystemAccount) -> dict[str, str]:
    """The settings that depend on the engine's version and on the machine, at every start."""
    zone = "UTC" if _has_zones(engine) else "GMT"
    settings = {"timezone": zone, "log_timezone": zone}
    if engine.major >= 18:
        settings["io_method"] = "sync"  # spares three idle workers
    if sys.platform == "linux" and not _can_write(_SHARED_MEMORY, account):
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def write(folder: Path, engine: Engine, account: SystemAccount, options: ServerOptions) -> None:
    """Write ``neonup.conf`` into a database's folder, which its ``postgresql.conf`` includes.

    It lies outside the data directory: that one belongs to the account, and root must not write
    where others can put links.

    Raises:
        OSError: it cannot be written.
    """
    settings = of_machine(engine, account)
    # Off, a crash may lose the last moments, but never the database.
    settings["synchronous_commit"] = "on" if options.durable else "off"
    settings["wal_recycle"] = "off"  # segments kept for later use would stay after a stop, too
    if options.logical_replication:
        settings["wal_level"] = "logical"
    else:
        settings["max_logical_replication_workers"] = "0"  # spares the launcher's process
    if _has_library(engine, "pg_stat_statements"):  # loaded at Neon, too
        settings["shared_preload_libraries"] = "pg_stat_statements"
        settings["pg_stat_statements.max"] = "1000"
    if options.tls:
        certificate, key = options.tls
        settings |= {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
    path = folder / "neonup.conf"
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    lines = [f"{name} = '{value}'\n" for name, value in quoted.items()]
    path.write_text("# Written by neonup at every start.\n" + "".join(lines), encoding="utf-8")
    path.chmod(0o644)


def arguments(settings: dict[str, str]) -> list[str]:
    """Settings as arguments of the program ``postgres``."""
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _has_library(engine: Engine, name: str) -> bool:
    suffix = {"win32": "dll", "darwin": "dylib"}.get(sys.platform, "so")
    folders = (engine.bin.parent / folder for folder in ("lib", "lib/postgresql"))
    return any((folder / f"{name}.{suffix}").is_file() for folder in folders)


def _has_zones(engine: Engine) -> bool:
    """Whether ``UTC`` can be looked up; ``GMT`` alone is built in."""
    shares = (engine.bin.parent / folder for folder in ("share", "share/postgresql"))
    places = (*(share / "timezone" for share in shares), Path("/usr/share/zoneinfo"))
    return any((place / "UTC").is_file() for place in places)


def _can_write(folder: Path, account: SystemAccount) -> bool:
    try:
        info = folder.stat()
        if sys.platform != "win32" and os.statvfs(folder).f_flag & os.ST_RDONLY:
            return False
    except OSError:
        return False
    need = 0o3
    if info.st_uid == account.uid:
        need <<= 6
    elif info.st_gid == account.gid:
        need <<= 3
    return stat.S_ISDIR(info.st_mode) and info.st_mode & need == need
