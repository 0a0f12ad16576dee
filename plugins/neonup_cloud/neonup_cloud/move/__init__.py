"""A project's data from one database to another: ``neonup push`` and ``neonup pull``.

`push` and `pull` decide between which two databases. What both do is in `transfer`: the schema is
pg_dump's, the rows go in COPY's text form from one psql or pg_dump to another psql, and all of it
is one transaction of the target, committed once its rows have been counted.
"""
