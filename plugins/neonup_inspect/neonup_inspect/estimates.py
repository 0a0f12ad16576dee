"""How many rows a table has, as Postgres's own estimates know it: no row is counted for it."""

from __future__ import annotations

from typing import LiteralString


def rows(relation: LiteralString) -> LiteralString:
    """An expression in SQL; NULL: nothing is known, or there are none.

    Of what a session adds and analyzes at once, its counters know twice, which is more than was
    ever added; what ``ANALYZE`` has counted is taken then.

    Args:
        relation: the row of ``pg_class``; ``s`` is that of ``pg_stat_all_tables``.
    """
    return f"""CASE WHEN {relation}.reltuples > 0 AND s.n_live_tup > s.n_tup_ins
            THEN {relation}.reltuples::int8
        WHEN s.n_live_tup > 0 THEN s.n_live_tup
        WHEN {relation}.reltuples > 0 THEN {relation}.reltuples::int8 END"""
