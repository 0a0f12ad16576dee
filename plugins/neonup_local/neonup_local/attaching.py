"""A local database for a project that has its URL already: what the two agree on."""

from __future__ import annotations

from neonup import Database, EngineError
from neonup_local.service import naming
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record


def as_database(
    databases: LocalDatabases, record: Record, old: Database | None, key: str
) -> Database:
    """A record as a database; what a user added to the URL of the ``old`` one stays."""
    if old is None:
        return Database(databases.url(record), "local", id=record.id, key=key)
    port = naming.secrets_of(old.url)[1]
    note = None
    if port != record.port:
        note = f"port {port} was taken: it now uses port {record.port}"
    url = naming.with_port(old.url, record.port)
    return old.with_(url=url, id=record.id, note=note)


def usable(databases: LocalDatabases, id_: str, password: str | None, port: int | None) -> Record:
    """The record of an existing database, running, its password being the URL's.

    Args:
        databases: the home's.
        id_: the database's.
        password: of the URL; None: it has none.
        port: of the URL; with both, a record that is lost is made again.

    Raises:
        EngineError: there is no data, or it does not start.
    """
    try:
        record = databases.get(id_)
    except EngineError:
        if password is None or port is None:
            raise
        return databases.adopt(id_, password=password, port=port)
    if record is None:
        raise EngineError(
            f"The database {id_!r} has no data on this machine.",
            checked=[str(databases.folder(id_))],
            remedy="neonup creates it again.",
        )
    record = databases.wake(record)
    if password and password != record.password:
        record = databases.set_password(record, password)
    return record
