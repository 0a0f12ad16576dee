"""A database's server, started with what its record says; the record follows what happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import account as accounts
from neonup_local.engine import admin, cluster, postmaster, template
from neonup_local.engine.binaries import Engine
from neonup_local.engine.config import ServerOptions
from neonup_local.service import home as homes
from neonup_local.service import ports, records
from neonup_local.service.records import Record


def finish(home: Path, record: Record, engine: Engine, superuser: bool | None = None) -> Record:
    """Start it if it does not run, and finish its role if a killed run did not; under its lock.

    Args:
        home: neonup's own folder.
        record: the database.
        engine: the Postgres for its data.
        superuser: whether its role is to be a superuser; None: as it is.

    Returns:
        The record as it is then: with another port, where its own was taken.

    Raises:
        EngineError: it did not start, or refused; its data is as it was.
    """
    folder = homes.database_folder(home, record.id)
    server = postmaster.running(folder / "data")
    if server is None or not postmaster.answers(server.port):
        record = _start(home, folder, record, engine)
    elif server.port != record.port:
        record = records.write(folder, replace(record, port=server.port))
    if superuser not in (None, record.superuser):
        changed = replace(record, superuser=bool(superuser), ready=False)
        record = records.write(folder, changed)
    return record if record.ready else set_role(home, record, engine)


def _start(home: Path, folder: Path, record: Record, engine: Engine) -> Record:
    for port in ports.from_port(record.port):
        if not (cluster.port_is_free(port) or cluster.is_running(folder / "data")):
            continue
        options = ServerOptions(port, record.logical_replication)
        try:
            server = cluster.start(engine, folder, homes.run_folder(home, record.id), options)
        except cluster.PortTaken:  # between the look and the start
            continue
        if server.port != record.port or engine.id != record.engine:
            record = records.write(folder, replace(record, port=server.port, engine=engine.id))
        return record
    raise EngineError(
        "No free port was found for Postgres on 127.0.0.1.",
        checked=[f"{ports.TRIES} ports from {record.port} on"],
    )


def set_role(home: Path, record: Record, engine: Engine) -> Record:
    """Let ``neondb_owner`` be what the record says; its server runs. Under its lock.

    Raises:
        EngineError: Postgres refused.
    """
    folder = homes.database_folder(home, record.id)
    verifier = template.scram_verifier(record.password)
    attribute = "SUPERUSER" if record.superuser else "NOSUPERUSER"
    change = f"ALTER ROLE {template.OWNER} {attribute} PASSWORD '{verifier}'"
    secret = template.admin_password(home)
    try:
        # Commits are asynchronous there: a server killed at once would forget its own password.
        admin.run(engine, record.port, secret, f"SET synchronous_commit = on; {change};")
    except EngineError as error:
        if not admin.was_refused(error):
            raise
        # The home's file with the superuser's password was lost: only who may write the data
        # directory can set another one.
        cluster.stop(folder / "data")
        own = f"ALTER ROLE {template.ADMIN} PASSWORD '{template.scram_verifier(secret)}'"
        account = accounts.of_data(folder / "data")
        template.single_user(engine, folder / "data", account, [own, change])
        record = _start(home, folder, record, engine)
    return records.write(folder, replace(record, ready=True))
