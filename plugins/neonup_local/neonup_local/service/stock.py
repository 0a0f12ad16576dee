"""Where a new database's data directory comes from: engine, template, spare copy."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import account as accounts
from neonup_local.engine import choosing, template
from neonup_local.engine.account import SystemAccount
from neonup_local.engine.binaries import Engine
from neonup_local.engine.choosing import NO_NEEDS, EngineNeeds
from neonup_local.service import home as homes


def choose_engine(
    home: Path,
    *,
    pg_bin: Path | None,
    tls: bool = False,
    major: int | None = None,
    name: str | None = None,
    needs: EngineNeeds = NO_NEEDS,
) -> Engine:
    """The engine for a new database, copied into the home; see `engine.choosing`."""
    with homes.locked(home, homes.ENGINES):
        return choosing.choose(home, pg_bin=pg_bin, tls=tls, major=major, name=name, needs=needs)


def prepare(home: Path, engine: Engine, account: SystemAccount) -> Path:
    """The engine's template, made under a lock where it is missing.

    Raises:
        EngineError: it could not be made.
    """
    folder = template.folder(home, engine)
    if (folder / "PG_VERSION").is_file():
        return folder
    with homes.locked(home, homes.ENGINES):
        return template.ensure(home, engine, account)


def provide(home: Path, folder: Path, engine: Engine) -> None:
    """Put a fresh data directory into a database's folder, by one rename; under its lock.

    Raises:
        EngineError: it could not be made; nothing half-made is left.
    """
    account = accounts.for_new_data()
    for leftover in folder.glob(".data-*"):  # of a killed run: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = folder / f".data-{secrets.token_hex(4)}"
    if _is_first_ever(home):
        template.make(home, engine, account, fresh)  # the upkeep makes the template afterwards
    elif not _take_spare(home, engine, fresh):
        template.copy(prepare(home, engine, account), fresh, account)
    try:
        fresh.rename(folder / "data")
    except OSError as error:
        raise EngineError(f"{folder / 'data'} could not be created: {error.strerror}.") from None


def _is_first_ever(home: Path) -> bool:
    """Whether there has never been a template: then the first database spares the copying."""
    try:
        homes.make_folder(home / "templates", exist_ok=False)
    except OSError:
        return False
    return True


def _take_spare(home: Path, engine: Engine, target: Path) -> bool:
    for spare in template.spares(home, engine).glob("spare-*"):
        try:
            spare.rename(target)  # only one process gets it
        except OSError:
            continue
        return True
    return False
