"""The schema of a database, as SQL, now or at a moment; and how two of them differ."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from neonup import EngineError
from neonup_emulator.neon import catalogs, databases, schema_tables
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import point_in_time
from neonup_emulator.neon.data.history import RecoveryTarget
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.errors import Failed, NotFound
from neonup_emulator.neon.model import Branch, Project
from neonup_local.engine import postmaster, template
from neonup_local.engine import program as engine_program
from neonup_local.engine.account import MYSELF

_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*|SELECT pg_catalog\.set_config.*|)\n", re.M)


def sql(
    neon: LocalNeon,
    project: Project,
    branch: Branch,
    database: str,
    *,
    time: datetime | None = None,
    lsn: str | None = None,
) -> str:
    """The statements that create a database's schema.

    Raises:
        NotFound: there is no such database.
        Unprocessable: the moment is not in the branch's history.
    """
    moment = point_in_time.target(neon, project, branch, time=time, lsn=lsn)
    with _running(neon, branch, database, moment) as then:
        return _schema(neon, then, database)


def tables(
    neon: LocalNeon,
    project: Project,
    branch: Branch,
    database: str,
    *,
    time: datetime | None = None,
    lsn: str | None = None,
) -> list[dict[str, Any]]:
    """The tables of a database, as Neon's API tells them in JSON.

    Raises:
        NotFound: there is no such database.
        Unprocessable: the moment is not in the branch's history.
    """
    moment = point_in_time.target(neon, project, branch, time=time, lsn=lsn)
    with (
        _running(neon, branch, database, moment) as then,
        neon.computes.admin(then, database, known=True) as connection,
    ):
        return schema_tables.read(connection)


def difference(old: str, new: str, names: tuple[str, str]) -> str:
    """A unified diff, empty where the schemas are the same."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="")
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def _running(
    neon: LocalNeon, branch: Branch, database: str, moment: RecoveryTarget | None
) -> Iterator[Branch]:
    """A branch whose server runs and has a database: as it is now, or as it was at a moment."""
    if moment is None:
        databases.find(neon, branch, database)
        with neon.computes.admin(branch):
            yield branch
        return
    with _as_it_was(neon, branch, moment) as then:
        with neon.computes.admin(then, known=True) as connection:
            if not catalogs.has_database(connection, database):
                raise NotFound("there was no such database at that moment")
        yield then


@contextmanager
def _as_it_was(neon: LocalNeon, branch: Branch, moment: RecoveryTarget) -> Iterator[Branch]:
    """A branch of the past, for the block alone; the store does not know it."""
    from msgspec.structs import replace

    cluster = point_in_time.new_cluster(neon, branch, moment)
    then = replace(branch, id=f"{branch.id}-then", cluster_id=cluster.id)
    try:
        point_in_time.build(neon, branch, cluster, moment)
        neon.store.insert(cluster)  # a start removes it, if this server is killed now
        neon.computes.start(then, known=True)
        yield then
    finally:
        neon.computes.discard(cluster.id)
        neon.clusters.remove(cluster.id)
        neon.store.delete(cluster)


def dump(
    neon: LocalNeon, branch: Branch, database: str, *options: str, program: str = "pg_dump"
) -> str:
    """What `pg_dump` or `pg_dumpall` says of a branch whose server runs.

    Raises:
        Failed: it refused.
    """
    return _run(neon, branch, database, [program, *options])


def load(neon: LocalNeon, branch: Branch, database: str, text: str) -> None:
    """Run SQL in a branch whose server runs, as the superuser.

    Raises:
        Failed: a statement failed.
    """
    command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    _run(neon, branch, database, command, stdin=text)


def _schema(neon: LocalNeon, branch: Branch, database: str) -> str:
    return _NOISE.sub("", dump(neon, branch, database, "--schema-only", "--no-privileges"))


def _run(
    neon: LocalNeon, branch: Branch, database: str, command: list[str], stdin: str = ""
) -> str:
    row = neon.store.get(Cluster, branch.cluster_id)
    assert row is not None  # noqa: S101 - its server runs
    address = neon.computes.address(branch.cluster_id, database)
    environ = {
        "PGHOST": postmaster.HOST,
        "PGPORT": str(address["port"]),
        "PGUSER": template.ADMIN,
        "PGPASSWORD": str(address["password"]),
        "PGDATABASE": database,
        "PGSSLMODE": "disable",
        "PGCONNECT_TIMEOUT": "10",
        "PGPASSFILE": os.devnull,
    }
    path = neon.clusters.engine_of(row).program(command[0])
    try:
        return engine_program.run(
            [path, *command[1:]], MYSELF, what=command[0], stdin=stdin, environ=environ
        )
    except EngineError as error:
        raise Failed("; ".join([error.message, *error.checked])) from None
