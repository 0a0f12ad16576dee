"""Postgres's client programs: which is used, how it learns where to connect, and SQL scripts."""
