"""What the platform's package manager has of Postgres: Debian's and Ubuntu's apt, macOS's Homebrew.

https://wiki.postgresql.org/wiki/Apt, https://formulae.brew.sh/formula/
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

_POSTGIS = {
    *("address_standardizer", "address_standardizer_data_us", "postgis", "postgis_raster"),
    *("postgis_sfcgal", "postgis_tiger_geocoder", "postgis_topology"),
}
_PACKAGED = {
    *("hll", "hypopg", "ip4r", "orafce", "pg_cron", "pg_partman", "pg_repack", "pgaudit"),
    *("pgrouting", "pgtap", "plpgsql_check", "prefix", "rdkit", "rum", "semver", "tds_fdw", "unit"),
}
"""What packages of Debian, Ubuntu and apt.postgresql.org have, each in one of its own."""

OF_OTHERS = {"vector", *_POSTGIS, *_PACKAGED}
"""Extensions that do not come with Postgres itself."""

_FORMULAS = {"vector": "pgvector", **dict.fromkeys(_POSTGIS, "postgis")}
"""Homebrew's, which are for its newest Postgres versions."""


def of_postgres(major: int | None) -> str | None:
    """The package of a major version, or of the newest; None: there is no package manager.

    It has what belongs to Postgres itself, too: ``contrib`` and ICU.
    """
    between = {"linux": "-", "darwin": "@"}.get(sys.platform)
    if between is None:
        return None
    return f"postgresql{between}{major}" if major else "postgresql"


def of_extension(name: str, major: int) -> str | None:
    """The package that has an extension of others; None: none is known."""
    if sys.platform != "linux":
        return _FORMULAS.get(name) if sys.platform == "darwin" else None
    if name in _POSTGIS:
        return f"postgresql-{major}-postgis-3"
    if name in _PACKAGED:
        return f"postgresql-{major}-{name.removeprefix('pg_').replace('_', '-')}"
    return f"postgresql-{major}-pgvector" if name == "vector" else None


def command(packages: Iterable[str | None]) -> str | None:
    """What installs some packages; None: there is none."""
    known = sorted({package for package in packages if package})
    manager = "brew" if sys.platform == "darwin" else "apt"
    return f"{manager} install {' '.join(known)}" if known else None
