"""The statements that create, move, end and list the databases on the tests' server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from neonup.plugin.postgres import StatementFailed
from neonup_pytest.databases import naming
from neonup_pytest.servers.admin import Admin, identifier, literal, together

_IN_USE = "55006"
_IS_TEMPLATE = "42809"
_LOCKED = "55P03"
_NO_DATABASE = "3D000"
_PREPARED = "NU001"
_TRIES = 5

_END_CONNECTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.end_connections(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    pids int[];
    alive bool;
BEGIN
    IF EXISTS (SELECT FROM pg_prepared_xact() AS x JOIN pg_database d ON d.oid = x.dbid
               WHERE d.datname = name) THEN
        RAISE EXCEPTION USING ERRCODE = 'NU001';
    END IF;
    -- Postgres checks for itself whether a database is in use, but waits 0.1 s between its looks.
    -- A backend is gone for that check once pg_terminate_backend() does not find it any more.
    FOR attempt IN 1..4000 LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT coalesce(array_agg(pid), '{}') || coalesce(pids, '{}') INTO pids
        FROM pg_stat_activity WHERE datname = name;
        SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) INTO alive
        FROM unnest(pids) AS pid;
        EXIT WHEN NOT alive;
        PERFORM pg_sleep(0.0005);
    END LOOP;
END
$$"""


_END_SUBSCRIPTIONS = """
DO $$
DECLARE
    subscription name;
BEGIN
    FOR subscription IN SELECT subname FROM pg_subscription AS s
        JOIN pg_database AS d ON d.oid = s.subdbid WHERE d.datname = current_database()
    LOOP
        EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', subscription);
        EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subscription);
        EXECUTE format('DROP SUBSCRIPTION %I', subscription);
    END LOOP;
END
$$"""

_END_LOCKS = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.application_name <> 'neonup tests'
WHERE l.granted AND (
    l.relation = 'pg_database'::regclass AND l.mode = 'RowExclusiveLock'
    OR l.classid = 'pg_database'::regclass
        AND l.objid = (SELECT oid FROM pg_database WHERE datname = {name}))"""
"""Ends sessions of other databases whose open transaction has changed this one."""


def create(admin: Admin, name: str, template: str, owner: str) -> None:
    """Make a database as a copy of another one, file by file.

    Copying files needs two checkpoints and no WAL: on a server that forces nothing to the disk
    that is a third of the default strategy's time.
    """
    admin.run(
        f"CREATE DATABASE {identifier(name)} TEMPLATE {identifier(template)} "
        f"OWNER {identifier(owner)} STRATEGY FILE_COPY"
    )


def copy_quickly(admin: Admin) -> None:
    """Let the kernel copy files on this connection, where Postgres can ask it to (from 18 on).

    https://www.postgresql.org/docs/18/runtime-config-resource.html#GUC-FILE-COPY-METHOD
    """
    with contextlib.suppress(StatementFailed):
        admin.run("SET file_copy_method = clone")


def settle(admin: Admin, name: str) -> None:
    """Do now what each copy would do again: then reading one changes none of its files."""
    run_inside(
        admin,
        name,
        "VACUUM (FREEZE, ANALYZE)",
        "VACUUM (FREEZE) pg_statistic, pg_class",  # which that has changed
    )
    run_inside(admin, name, "SELECT 1")  # writes the cache that new connections read


def warm(admin: Admin, template: str) -> None:
    """Write a template's cache of its catalogs again: Postgres removes all of them when it starts.

    A copy of the template then has it, too, and its connections begin twice as fast.
    """
    open_(admin, template)
    run_inside(admin, template, "SELECT 1")
    close(admin, template)


def drop(admin: Admin, name: str) -> None:
    """Remove a database and whatever still uses it."""
    close(admin, name)
    drop_closed(admin, name)


def drop_closed(admin: Admin, name: str) -> None:
    """Remove a database that was closed before, with what else holds it."""
    drop = f"DROP DATABASE IF EXISTS {identifier(name)}"
    try:
        _run_unblocked(admin, name, drop)
    except StatementFailed as error:
        if error.sqlstate not in (_IN_USE, _IS_TEMPLATE):
            raise
        _release(admin, name)
        admin.run(drop)


def drop_all(admin: Admin, names: Iterable[str]) -> bool:
    """Remove databases; returns whether all are gone. One that cannot be dropped is left."""
    complete = True
    for name in names:
        try:
            drop(admin, name)
        except StatementFailed:
            complete = False
    return complete


def close(admin: Admin, name: str) -> bool:
    """Let nobody into a database, end who is in it, and forget its prepared transactions.

    Returns:
        Whether there is such a database.
    """
    try:
        _run_unblocked(admin, name, f"ALTER DATABASE {identifier(name)} ALLOW_CONNECTIONS false")
    except StatementFailed as error:
        if error.sqlstate != _NO_DATABASE:
            raise
        return False
    end_connections(admin, name)
    return True


def end_connections(admin: Admin, name: str) -> None:
    """End who is in a database; return once Postgres, too, finds nobody there."""
    admin.once(_END_CONNECTIONS)
    end = f"SELECT pg_temp.end_connections({literal(name)})"
    try:
        admin.run(end)
    except StatementFailed as error:
        if error.sqlstate != _PREPARED:
            raise
        _roll_back_prepared(admin, name)
        admin.run(end)


def swap(admin: Admin, name: str, *, away: str | None, to: str | None) -> bool:
    """Put the database ``to`` behind a name; what was there, closed before, gets the name ``away``.

    Nobody sees a moment without a database of that name. What was to be put away and is gone, as
    where a test has dropped or renamed it, is done.

    Returns:
        Whether ``to`` was there; nothing has changed if it was not.
    """
    pairs = [(old, new) for old, new in ((name, away), (to, name)) if old and new]
    for attempt in range(_TRIES):
        try:
            if pairs:
                _run_unblocked(admin, name, together(_rename(old, new) for old, new in pairs))
        except StatementFailed as error:
            if error.sqlstate not in (_IN_USE, _NO_DATABASE) or attempt == _TRIES - 1:
                raise
            if to is not None and not exists(admin, to):
                return False
            if exists(admin, name):
                end_connections(admin, name)  # one that was on its way in
            else:
                pairs = [pair for pair in pairs if pair != (name, away)]
        else:
            break
    return True


def open_(admin: Admin, *names: str) -> None:
    """Let connections into databases again."""
    admin.run(together(f"ALTER DATABASE {identifier(n)} ALLOW_CONNECTIONS true" for n in names))


def rename(admin: Admin, name: str, to: str) -> None:
    """Give a database that nobody uses another name."""
    admin.run(_rename(name, to))


def _rename(name: str, to: str) -> str:
    return f"ALTER DATABASE {identifier(name)} RENAME TO {identifier(to)}"


def _run_unblocked(admin: Admin, name: str, statement: str) -> None:
    """Run a statement that moves a database, also where an open transaction has locked that."""
    try:
        admin.run(statement)
    except StatementFailed as error:
        if error.sqlstate != _LOCKED:
            raise
        admin.run(_END_LOCKS.format(name=literal(name)), statement)


def _release(admin: Admin, name: str) -> None:
    """End what else than a connection keeps a closed database from being dropped."""
    admin.run(f"ALTER DATABASE {identifier(name)} IS_TEMPLATE false")
    open_(admin, name)
    run_inside(admin, name, _END_SUBSCRIPTIONS)
    close(admin, name)


def _roll_back_prepared(admin: Admin, name: str) -> None:
    """Prepared transactions outlive their connections, and can be ended from within alone."""
    open_(admin, name)
    for (gid,) in run_inside(
        admin, name, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
    ):
        run_inside(admin, name, f"ROLLBACK PREPARED {literal(gid)}")
    admin.run(f"ALTER DATABASE {identifier(name)} ALLOW_CONNECTIONS false")


def run_inside(admin: Admin, name: str, *statements: str) -> list[list[str]]:
    """Run statements on a new connection to a database; returns the rows of the last one."""
    inside = admin.inside(name)
    try:
        return inside.run(*statements)
    finally:
        inside.close()


def tidy(admin: Admin) -> None:
    """Remove dead rows from the server's list of databases: nothing else does, on ours."""
    admin.run("VACUUM (TRUNCATE false) pg_database")


def oid(admin: Admin, name: str) -> str:
    """A database's oid, by which Postgres names its folder."""
    return admin.value(f"SELECT oid FROM pg_database WHERE datname = {literal(name)}")


def by_oid(admin: Admin, oids: Iterable[str]) -> dict[str, str]:
    """The names that databases have now, by their oids; those that are gone are left out."""
    rows = admin.run(f"SELECT oid, datname FROM pg_database WHERE oid IN ({', '.join(oids)})")
    return {row[0]: row[1] for row in rows}


def exists(admin: Admin, name: str) -> bool:
    """Whether there is a database of that name."""
    return bool(admin.run(f"SELECT 1 FROM pg_database WHERE datname = {literal(name)}"))


def names(admin: Admin, prefix: str = naming.PREFIX) -> list[str]:
    """The databases whose names begin so, the oldest first."""
    rows = admin.run(
        "SELECT datname FROM pg_database "
        f"WHERE starts_with(datname, {literal(prefix)}) ORDER BY oid"
    )
    return [name for (name,) in rows]


def others(admin: Admin, own: Iterable[str]) -> list[str]:
    """The databases that are neither Postgres's nor templates of ours, nor named."""
    names = ", ".join(map(literal, ("postgres", "template0", "template1", *own)))
    rows = admin.run(
        "SELECT datname FROM pg_database WHERE NOT "
        f"(datname IN ({names}) OR starts_with(datname, {literal(naming.TEMPLATE)}))"
    )
    return [name for (name,) in rows]


def size(admin: Admin, name: str) -> int:
    """How many bytes a database takes."""
    return int(admin.value(f"SELECT pg_database_size({literal(name)})"))
