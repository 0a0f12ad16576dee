"""The extensions that Neon lets every owner create.

https://neon.com/docs/extensions/pg-extensions as of 11 January 2025, and of the pages that came
after it https://neon.com/docs/extensions/dblink and https://neon.com/docs/extensions/postgres_fdw.
Not in it are, for example, ``sslinfo`` and ``file_fdw``, "not supported", and what looks into pages
and files: ``pageinspect``, ``pg_surgery``, ``pg_visibility``.
"""

from __future__ import annotations

NEON_EXTENSIONS = (
    *("address_standardizer", "address_standardizer_data_us", "autoinc", "bloom", "btree_gin"),
    *("btree_gist", "citext", "cube", "dblink", "dict_int", "earthdistance", "fuzzystrmatch"),
    *("h3", "h3_postgis", "hll", "hstore", "hypopg", "insert_username", "intagg", "intarray"),
    *("ip4r", "isn", "lo", "ltree", "moddatetime", "pg_cron", "pg_graphql", "pg_hashids"),
    *("pg_hint_plan", "pg_ivm", "pg_jsonschema", "pg_partman", "pg_prewarm", "pg_session_jwt"),
    *("pg_stat_statements", "pg_tiktoken", "pg_trgm", "pg_uuidv7", "pgcrypto", "pgjwt"),
    *("pgrouting", "pgrowlocks", "pgstattuple", "pgtap", "plpgsql", "plpgsql_check", "plv8"),
    *("postgis", "postgis_raster", "postgis_sfcgal", "postgis_tiger_geocoder"),
    *("postgis_topology", "postgres_fdw", "prefix", "rdkit", "refint", "roaringbitmap", "rum"),
    *("seg", "semver", "tablefunc", "tcn", "timescaledb", "tsm_system_rows", "tsm_system_time"),
    *("ulid", "unaccent", "unit", "uuid-ossp", "vector", "xml2"),
)
"""Their names, as ``CREATE EXTENSION`` takes them."""
