"""What a person wants to know of a database, and of the engines on the machine."""

from __future__ import annotations

import os

from neonup import EngineError, State
from neonup_local.engine import binaries, postmaster, sizes, template
from neonup_local.engine.binaries import Candidate
from neonup_local.engine.choosing import NO_NEEDS, EngineNeeds
from neonup_local.service import folders, notes, upkeep
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.versions import manifest


def of(databases: LocalDatabases, id: str) -> dict[str, str]:  # noqa: A002
    """What is known of a database, by label; no secrets."""
    folder = databases.folder(id)
    if not folder.is_dir():
        return {"data": f"{folder} (missing)"}
    try:
        record = databases.get(id)
    except EngineError as error:
        return {"record": error.message, "data": str(folder / "data")}
    if record is None:
        return {"data": f"{folder} (missing)"}
    detail = {
        "engine": f"Postgres {record.pg_major} ({record.engine})",
        "size": sizes.human(sizes.size(folder)),
        "data": str(folder / "data"),
    }
    if versions := manifest.all_of(folder):
        taken = sizes.human(sum(version.size for version in versions))
        detail["versions"] = f"{len(versions)}, {taken} of the size"
    if record.superuser or databases.superuser:
        detail["superuser"] = _superuser(record.superuser, bool(databases.superuser))
    if branch := notes.git_branch(folder):
        detail["git branch"] = branch
    server = postmaster.running(folder / "data")
    if server is not None:
        detail |= {
            "port": str(server.port),
            "socket": os.fspath(server.socket_dir) or "none",
            "connections": str(upkeep.clients(server.pid)),
            "pid": str(server.pid),
        }
    return detail


def _superuser(present: bool, wanted: bool) -> str:
    text = f"{template.OWNER} is {'one' if present else 'none'}"
    return text if present == wanted else f"{text}, until `neonup stop; neonup`"


def row(databases: LocalDatabases, id: str) -> dict[str, str | int | None]:  # noqa: A002
    """One line of ``neonup list``."""
    folder = databases.folder(id)
    server = postmaster.running(folder / "data")
    values: dict[str, str | int | None] = {
        "id": id,
        "state": str(State.READY if server else State.STOPPED),
        "port": server.port if server else None,
        "kind": None,
        "project": None,
        "engine": None,
        "size": sizes.size(folder),
        "connections": upkeep.clients(server.pid) if server else 0,
        "pid": server.pid if server else None,
        "problem": None,
    }
    try:
        record = databases.get(id)
    except EngineError as error:
        return {**values, "problem": error.message}
    if record is None:
        return {**values, "state": str(State.MISSING), "problem": "never finished"}
    return {
        **values,
        "port": server.port if server else record.port,
        "kind": "preview" if record.branch_of else "project",
        "project": folders.project(databases.home, record) or record.name,
        "engine": record.engine,
        "state": str(databases.state(record)),
    }


def engines(
    databases: LocalDatabases, needs: EngineNeeds = NO_NEEDS
) -> list[dict[str, str | bool | None]]:
    """Every place where a Postgres was looked for, and what is there; best first.

    Args:
        databases: those of the home, and which engine is set for new ones.
        needs: what a new database's engine has to have: one of them is the chosen one.
    """
    rows: list[dict[str, str | bool | None]] = []
    try:
        chosen: Candidate | None = databases.new_engine(needs)
    except EngineError:
        chosen = None
    for candidate in binaries.candidates(databases.home, databases.pg_bin):
        engine = candidate.engine
        rows.append(
            {
                "name": candidate.name,
                "where": candidate.where,
                "version": engine.version if engine else None,
                "tls": engine.tls if engine else None,
                "icu": engine.icu if engine else None,
                "pgvector": "vector" in engine.extensions if engine else None,
                "contrib": "hstore" in engine.extensions if engine else None,
                "extensions": ", ".join(sorted(engine.extensions)) if engine else None,
                "why_not": candidate.why_not,
                "chosen": candidate == chosen,
            }
        )
    return rows
