"""Used databases made fresh again, where that is quicker than a new copy, and can be proven.

Postgres writes every lasting change of a database into its write-ahead log: it recovers from it.
What the log says between a database's handing out and its closing is therefore all that a test
changed there, whatever it did. Where that is nothing, the database is handed on. Where it is rows
of some small tables and sequences, these get the template's rows again. Everything else (a change
of the catalog, of a setting, of privileges, of much) means a new copy.

What the log does not have: unlogged tables, so a template that has one is not handled here; and
the settings, comments and privileges of a database, which are looked at.

"""

from __future__ import annotations

from dataclasses import dataclass

from neonup_pytest import databases
from neonup_pytest.admin import Admin, StatementFailed, literal

MOST_TIMES = 20
"""How often a database is restored: deleted rows stay in its files, and their sizes can be seen."""
_MOST_RELATIONS = 24
_MOST_PAGES = 32
"""To restore more than this may take longer than a new copy."""
_MOST_WAL = 4 << 20
"""Bytes of log that are read through for one test; others' may be among them."""

_TABLE, _SEQUENCE, _LOGGED = "r", "S", "p"
"""``pg_class.relkind`` and ``pg_class.relpersistence``"""

_RELATIONS = """
SELECT pg_relation_filenode(c.oid), c.oid, c.relkind, c.relpersistence, c.relpages,
    coalesce(i.indrelid, owner.oid, c.oid), c.oid::regclass
FROM pg_class c
LEFT JOIN pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_class owner ON owner.reltoastrelid = c.oid
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'i', 't', 'S', 'm')"""

_UNHINDERED = "-c session_replication_role=replica"
"""No trigger, no rule and no foreign key has a say, but for those that always have."""

_ALWAYS = """
SELECT 1 FROM pg_trigger WHERE tgenabled IN ('A', 'R') AND NOT tgisinternal
UNION ALL SELECT 1 FROM pg_rewrite WHERE ev_enabled IN ('A', 'R')"""

_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""

_CHANGED = """
PREPARE neonup_changed (pg_lsn, pg_lsn, name) AS
SELECT DISTINCT relfilenode FROM pg_get_wal_block_info($1, $2, false)
WHERE reldatabase = (SELECT oid FROM pg_database WHERE datname = $3)
    -- Both change no row: they note what has been decided, or clear away what nobody sees.
    AND (resource_manager, record_type)
        NOT IN (('XLOG', 'FPI_FOR_HINT'), ('Heap2', 'PRUNE_ON_ACCESS'))"""

_LOOKED_AT = """
PREPARE neonup_looked_at (name) AS
SELECT concat_ws('/', d.datdba, d.datacl, d.datconnlimit, d.datistemplate, d.dattablespace,
    (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = d.oid),
    (SELECT count(*) FROM pg_shdescription
        WHERE classoid = 'pg_database'::regclass AND objoid = d.oid),
    (SELECT count(*) FROM pg_shseclabel
        WHERE classoid = 'pg_database'::regclass AND objoid = d.oid),
    (SELECT count(*) FROM pg_subscription WHERE subdbid = d.oid),
    (SELECT count(*) FROM pg_replication_slots WHERE datoid = d.oid))
FROM pg_database d WHERE d.datname = $1"""


@dataclass(frozen=True)
class Span:
    """The part of the write-ahead log in which a test's changes are."""

    begin: str
    end: str

    @property
    def size(self) -> int:
        """Bytes between both, each written as two hexadecimal numbers of 32 bits."""
        begin, end = (
            int(high, 16) << 32 | int(low, 16)
            for high, low in (place.split("/") for place in (self.begin, self.end))
        )
        return end - begin


@dataclass(frozen=True)
class _Relation:
    """A table, an index, an overflow table or a sequence; ``owner``: the oid of its table."""

    oid: str
    kind: str
    pages: int
    owner: str
    name: str

    @property
    def is_small(self) -> bool:
        return self.kind in (_TABLE, _SEQUENCE) and self.pages <= _MOST_PAGES


class Recycler:
    """Restores databases that are copies of one template.

    Args:
        admin: connected to the database with the extension, see `prepare`.
        reference: a copy of the template that nobody else uses.
    """

    def __init__(self, admin: Admin, reference: str):
        self._admin = admin
        self._reference = reference
        self._inside = admin.inside(reference, _UNHINDERED)
        self.inside = reference
        """The database that it is connected to: a restored one cannot be used until it left."""
        rows = self._inside.run(_RELATIONS)
        relations = [_Relation(oid, kind, int(pages), owner, name)
                     for _, oid, kind, _, pages, owner, name in rows]  # fmt: skip
        self._by_oid = {relation.oid: relation for relation in relations}
        self._by_node = {row[0]: relation for row, relation in zip(rows, relations, strict=True)}
        self._possible = all(row[3] == _LOGGED for row in rows) and not self._inside.run(_ALWAYS)
        admin.once(_CHANGED)
        admin.once(_LOOKED_AT)
        self._looks = self._look(reference)
        self._statements: dict[str, str] = {}

    def restore(self, name: str, span: Span) -> bool:
        """Make a closed database as fresh as a new copy, and let connections in again.

        Returns:
            False where that cannot be done or proven; the database is of no use then.
        """
        try:
            changed = self._changed(name, span)
            if changed is None:
                return False
            statements = [self._statement(one) for one in changed]
            databases.open_(self._admin, name)
            if statements:
                self._move(name)
                self._inside.run("BEGIN", *statements, "COMMIT")
        except StatementFailed:  # e.g. the log of so long ago is gone
            return False
        return True

    def release(self) -> None:
        """Leave the database that was restored last."""
        self._move(self._reference)

    def close(self) -> None:
        """End its connection."""
        self._inside.close()

    def _changed(self, name: str, span: Span) -> list[_Relation] | None:
        """The tables and sequences to put back; None where that is not enough, or too much."""
        begin, end, quoted = literal(span.begin), literal(span.end), literal(name)
        if not self._possible or span.size > _MOST_WAL or self._look(name) != self._looks:
            return None
        rows = self._admin.run(f"EXECUTE neonup_changed ({begin}, {end}, {quoted})")
        nodes = [node for (node,) in rows]
        if any(node not in self._by_node for node in nodes):
            return None  # the catalog, or something that the template does not have
        changed = {self._whole(self._by_node[node]) for node in nodes}
        if len(changed) > _MOST_RELATIONS or any(not one.is_small for one in changed):
            return None
        return sorted(changed, key=lambda one: int(one.oid))

    def _look(self, name: str) -> str:
        return self._admin.value(f"EXECUTE neonup_looked_at ({literal(name)})")

    def _whole(self, relation: _Relation) -> _Relation:
        """The table that an index or an overflow table belongs to; anything else itself."""
        while relation.owner != relation.oid:
            relation = self._by_oid[relation.owner]
        return relation

    def _statement(self, relation: _Relation) -> str:
        """What puts the template's content back; made when it is needed first."""
        if relation.oid not in self._statements:
            make = self._setval if relation.kind == _SEQUENCE else self._reload
            self._statements[relation.oid] = make(relation)
        return self._statements[relation.oid]

    def _setval(self, relation: _Relation) -> str:
        self._move(self._reference)
        last, called = self._inside.run(f"SELECT last_value, is_called FROM {relation.name}")[0]
        return f"SELECT setval({relation.oid}, {last}, {literal(called)})"

    def _reload(self, relation: _Relation) -> str:
        self._move(self._reference)
        columns = self._inside.value(_COLUMNS % relation.oid)
        path = self._inside.value(
            "SELECT current_setting('data_directory') || '/pg_stat_tmp/' "  # emptied at a start
            f"|| {literal(f'{self._reference}-{relation.oid}')}"
        )
        content = f"{relation.name} ({columns})" if columns else relation.name
        self._inside.run(f"COPY {content} TO {literal(path)} (FORMAT binary)")
        reload = f"COPY {content} FROM {literal(path)} (FORMAT binary)"
        return f"DELETE FROM ONLY {relation.name};\n{reload}"

    def _move(self, name: str) -> None:
        if name != self.inside:
            before, self.inside = self.inside, name
            self._inside.move(name)
            databases.end_connections(self._admin, before)  # Postgres takes a moment to do so


def prepare(admin: Admin) -> bool:
    """Whether the server lets its log be read; installs the extension for it.

    https://www.postgresql.org/docs/current/pgwalinspect.html
    """
    try:
        admin.run(
            "CREATE EXTENSION IF NOT EXISTS pg_walinspect",
            "SELECT 'pg_get_wal_block_info(pg_lsn,pg_lsn,bool)'::regprocedure",  # from 16 on
        )
    except StatementFailed:  # not a superuser, or there is no such extension
        return False
    return True
