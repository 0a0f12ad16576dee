"""What a test leaves outside of its database: roles, their settings and memberships, slots.

All databases of a server share them, so a new database does not bring them back. They are looked at
when a test gets its database and when the test is over; what session fixtures do in between stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from neonup.plugin.postgres import StatementFailed
from neonup_pytest.servers.admin import Admin, identifier, literal

GONE = "neonup_gone_"
"""Begins the name of a role that could not be dropped yet, since a database still needs it."""

_CATALOGS = {
    "pg_authid": "oid",
    "pg_auth_members": "roleid, member, grantor",
    "pg_db_role_setting": "setdatabase, setrole",
    "pg_parameter_acl": "oid",
    "pg_shdescription": "objoid, classoid",
    "pg_shdepend": "dbid, classid, objid, objsubid, refclassid, refobjid, deptype",
}
"""The shared catalogs that are put back, and what identifies a row of each."""
_LOOKED_AT = [name for name in _CATALOGS if name != "pg_shdepend"]
_OF_ROLES = {
    "pg_shdescription": "classoid = 'pg_authid'::regclass",
    "pg_shdepend": "dbid = 0 AND classid IN ('pg_authid'::regclass, 'pg_auth_members'::regclass, "
    "'pg_parameter_acl'::regclass)",
}
"""Which rows, of catalogs that are not about roles alone."""

_SLOTS = "(SELECT string_agg(slot_name, ',' ORDER BY slot_name) FROM pg_replication_slots)"
_VERSIONS = ", ".join(
    "(SELECT md5(string_agg(xmin::text || ctid::text, ',' ORDER BY ctid)) "
    f"FROM {name} WHERE {_OF_ROLES.get(name, 'true')})"
    for name in _LOOKED_AT
)
_FINGERPRINT = f"concat_ws(' ', {_VERSIONS}, {_SLOTS})"
"""An expression whose value changes with each of them; only a superuser may evaluate it."""

_PUBLIC_FINGERPRINT = (
    "concat_ws(' ', (SELECT md5(string_agg(r::text, ',' ORDER BY oid)) FROM pg_roles AS r), "
    f"(SELECT md5(string_agg(m::text, ',' ORDER BY m::text)) FROM pg_auth_members AS m), {_SLOTS})"
)
"""The same for everybody, without passwords."""

_OWN_SETTINGS = (
    "SELECT concat_ws(' ', datdba, datacl, datconnlimit, "
    "(SELECT string_agg(s::text, ',') FROM pg_db_role_setting AS s WHERE s.setdatabase = d.oid)) "
    "FROM pg_database AS d WHERE datname = {}"
)


@dataclass(frozen=True)
class Left:
    """What a test has left.

    Args:
        roles: it changed roles, their settings or memberships, or left a replication slot.
        database: it changed who owns its database, who may use it, or its settings.
    """

    roles: bool
    database: bool


class ClusterState:
    """The state of a server's roles, as it was when a test began.

    Args:
        admin: the connection to use.
        shared_with: who else uses the server, so that it cannot be put back; None: nobody.
    """

    def __init__(self, admin: Admin, shared_with: str | None):
        self._admin = admin
        self._shared_with = shared_with
        self._superuser = admin.value("SHOW is_superuser") == "on"
        self._fingerprint = _FINGERPRINT if self._superuser else _PUBLIC_FINGERPRINT
        self._before = ""
        self._remembered = ""
        self._own = ""

    @property
    def restorable(self) -> bool:
        """Whether nobody else uses the server, so that `restore` puts the roles back."""
        return self._shared_with is None

    def remember(self, name: str) -> None:
        """Look at the state before a test.

        Args:
            name: the test's database.
        """
        self._before, self._own = self._look(name)
        if self.restorable and self._before != self._remembered:
            self._admin.run(*_REMEMBER)
            self._remembered = self._before

    def compare(self, name: str) -> Left:
        """What a test has left, which is over; its connections may still be open."""
        now, own = self._look(name)
        return Left(now != self._before, own != self._own)

    def restore(self) -> str | None:
        """Put the roles back as they were before the test, whose connections are closed.

        A role that something in a database still needs gets another name and may not log in.

        Returns:
            What later tests find otherwise than it was, in words; None: nothing.
        """
        if self._shared_with is not None:
            return (
                "while it ran, roles of the tests' server, their settings or memberships changed, "
                f"or a replication slot was left. That stays, since {self._shared_with} the "
                "server, too; it may have been them."
            )
        self._remembered = ""  # the rows are others afterwards
        try:
            self._admin.run(_RESTORE, _DROP_NEW_SLOTS)
        except StatementFailed as error:
            return (
                "it changed roles of the tests' server, their settings or memberships, or left a "
                f"replication slot, which could not be undone: {error}"
            )
        return None

    def _look(self, name: str) -> tuple[str, str]:
        own = _OWN_SETTINGS.format(literal(name))
        row = self._admin.run(f"SELECT {self._fingerprint}, ({own})")[0]
        return row[0], row[1]


def drop_slots(admin: Admin, name: str) -> None:
    """Drop the replication slots of a database that nobody uses any more."""
    admin.run(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
        f"WHERE database = {literal(name)} AND NOT temporary"
    )


def drop_gone(admin: Admin) -> bool:
    """Drop the roles that were put aside; returns whether none is left."""
    complete = True
    for (name,) in admin.run(
        f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, {literal(GONE)})"
    ):
        try:
            admin.run(f"DROP ROLE {identifier(name)}")
        except StatementFailed:
            complete = False
    return complete


def tablespaces(admin: Admin) -> list[str]:
    """The tablespaces that somebody has made: a copy of the data directory would share them."""
    rows = admin.run("SELECT spcname FROM pg_tablespace WHERE spcname !~ '^pg_'")
    return [name for (name,) in rows]


def drop_tablespaces(admin: Admin) -> bool:
    """Drop the tablespaces that nothing is in; returns whether none is left."""
    complete = True
    for name in tablespaces(admin):
        try:
            admin.run(f"DROP TABLESPACE {identifier(name)}")
        except StatementFailed:
            complete = False
    return complete


def _copy(name: str) -> str:
    return f"pg_temp.neonup_{name}"


def _where(name: str) -> str:
    return _OF_ROLES.get(name, "true")


_SLOTS_BEFORE = _copy("slots")


_REMEMBER = [
    *(f"DROP TABLE IF EXISTS {_copy(name)}" for name in _CATALOGS),
    *(
        f"CREATE TEMP TABLE neonup_{name} AS SELECT * FROM {name} WHERE {_where(name)}"
        for name in _CATALOGS
    ),
    f"DROP TABLE IF EXISTS {_SLOTS_BEFORE}",
    "CREATE TEMP TABLE neonup_slots AS SELECT slot_name FROM pg_replication_slots",
]


def _restore_rows(name: str) -> str:
    keys = _CATALOGS[name]
    before = ", ".join(f"before.{key}" for key in keys.split(", "))
    return f"""
    DELETE FROM {name} AS now WHERE {_where(name)} AND NOT EXISTS (
        SELECT FROM {_copy(name)} AS before WHERE before.* IS NOT DISTINCT FROM now.*);
    INSERT INTO {name} SELECT * FROM {_copy(name)} AS before WHERE NOT EXISTS (
        SELECT FROM {name} AS now WHERE ({keys}) = ({before}));
"""


_RESTORE = f"""
DO $$
DECLARE
    role record;
BEGIN
    PERFORM set_config('allow_system_table_mods', 'on', true);
    FOR role IN SELECT oid, rolname FROM pg_authid
        WHERE oid NOT IN (SELECT oid FROM {_copy("pg_authid")}) AND rolname NOT LIKE '{GONE}%'
    LOOP
        BEGIN
            EXECUTE format('DROP ROLE %I', role.rolname);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            EXECUTE format('ALTER ROLE %I NOLOGIN', role.rolname);
            EXECUTE format('ALTER ROLE %I RENAME TO %I', role.rolname, '{GONE}' || role.oid);
        END;
    END LOOP;
    INSERT INTO {_copy("pg_authid")} SELECT * FROM pg_authid WHERE rolname LIKE '{GONE}%'
        AND oid NOT IN (SELECT oid FROM {_copy("pg_authid")});
    {"".join(map(_restore_rows, _CATALOGS))}
END
$$"""

_DROP_NEW_SLOTS = f"""
DO $$
DECLARE
    slot record;
BEGIN
    FOR slot IN SELECT slot_name, active_pid FROM pg_replication_slots
        WHERE NOT temporary AND slot_name NOT IN (SELECT slot_name FROM {_SLOTS_BEFORE})
    LOOP
        PERFORM pg_terminate_backend(slot.active_pid, 5000);
        PERFORM pg_drop_replication_slot(slot.slot_name);
    END LOOP;
END
$$"""
"""Slots of databases that the test has closed, of others, and physical ones, which have none."""
