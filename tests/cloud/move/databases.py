"""A database with one of everything, and what must be the same of it after a move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

EVERYTHING = Path(__file__).with_name("everything.sql").read_text("utf-8")

FACTS = {
    "people": "SELECT md5(string_agg(p::text, '|' ORDER BY id)) FROM people p",
    "next person": "SELECT nextval(pg_get_serial_sequence('people', 'id'))",
    "next ticket": "SELECT nextval('tickets')",
    "items": "SELECT string_agg(i::text, '|' ORDER BY i::text)"
    ' FROM "Back Office"."Order Items" i',
    "events": "SELECT (SELECT count(*) FROM events_new) || '/' || (SELECT count(*) FROM events)",
    "children": "SELECT string_agg(a::text, ',' ORDER BY a) FROM ONLY parent",
    "all": "SELECT string_agg(a::text, ',' ORDER BY a) FROM parent",
    "view": "SELECT count(*) FROM grown_up",
    "moods": "SELECT string_agg(m::text, '|' ORDER BY mood) FROM moods m",
    "functions": "SELECT add(1) + atomic(4) + (SELECT total(i) FROM generate_series(1, 3) i)",
    "comment": "SELECT obj_description('people'::regclass)",
    "trigger": "SELECT count(*) FROM pg_trigger WHERE tgname = 'noted'",
    "not fired": "SELECT count(*) FROM log",
    "rls": "SELECT relrowsecurity FROM pg_class WHERE oid = 'people'::regclass",
    "policy": "SELECT qual FROM pg_policies WHERE policyname = 'own'",
    "grant": "SELECT count(*) FROM pg_class, aclexplode(relacl) x"
    " WHERE oid = 'people'::regclass AND x.grantee = 0",
    "revoked": "SELECT count(*) FROM pg_proc, aclexplode(proacl) x"
    " WHERE proname = 'add' AND x.grantee = 0",
    "large object": "SELECT md5(lo_get(4711)) || obj_description(4711, 'pg_largeobject')",
    "identity": "SELECT attidentity FROM pg_attribute"
    " WHERE attrelid = 'people'::regclass AND attname = 'id'",
    "statistics": "SELECT count(*) FROM pg_statistic_ext WHERE stxname = 'related'",
    "unlogged": "SELECT relpersistence FROM pg_class WHERE relname = 'scratch'",
    "constraints": "SELECT string_agg(conname || contype::text, ',' ORDER BY conname)"
    " FROM pg_constraint WHERE conrelid = 'people'::regclass AND contype <> 'n'",
    "indexes": "SELECT string_agg(indexname, ',' ORDER BY indexname) FROM pg_indexes"
    " WHERE schemaname = 'public'",
}


def ask(url: str, statement: str) -> Any:
    """The first value that a statement answers; None where it answers none."""
    with psycopg.connect(url, autocommit=True, connect_timeout=60) as connection:
        cursor = connection.execute(statement.encode())
        while cursor.nextset():
            pass
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def facts(url: str) -> dict[str, str]:
    """What there is in a database made by `EVERYTHING`; its sequences move on by one."""
    with psycopg.connect(url, autocommit=True, connect_timeout=60) as connection:
        found = {}
        for name, query in FACTS.items():
            row = connection.execute(query.encode()).fetchone()
            found[name] = str(row[0] if row else None)
        return found
