"""Steps 4 and 5 of the flow: create a database where there is none, and write it down.

Loaded only where something is to be created.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path

from neonup import plugins
from neonup.database import USER, Database, DatabaseSpec, State
from neonup.env import dotenv, exposure, git, record
from neonup.errors import ProviderError
from neonup.provider import Provider
from neonup.providers import registry
from neonup.providers.registry import provider_class
from neonup.settings import Settings, check_names
from neonup.start import checkout, created, lookup, owner, permission, ready
from neonup.start.permission import Permission


@dataclass(frozen=True)
class Outcome:
    """What came of provisioning.

    Args:
        database: the new database, or the one that another process has created meanwhile.
        created: whether it is the new one.
        remarks: what the banner should add.
    """

    database: Database
    created: bool
    remarks: tuple[str, ...] = ()


def allow(
    settings: Settings, sign: str | None, *, against: str | None, need: str | None
) -> Permission:
    """Leave to create a database, with a ``.env`` that can be written; asked before the lock.

    Raises:
        CreationForbidden: none may be created here.
        EnvFileError: there is nowhere to record it.
    """
    allowed = permission.ask(settings, sign, against=against, need=need, environ=os.environ)
    dotenv.check_writable(lookup.file_of(settings))
    return allowed


def create(
    settings: Settings,
    replaces: Database | None,
    *,
    local_only: str | None,
    progress: Callable[[str], None],
    anyway: bool = False,
    delete: bool = False,
    copy: bool = False,
) -> Outcome:
    """Create a database, record it and make it ready. The caller holds the project's lock.

    Args:
        settings: the project's.
        replaces: the one whose place it takes; None: there is none.
        local_only: why only a database on this machine may be created; None if any may.
        progress: called with a description of each step.
        anyway: also where the old one is in order.
        delete: delete the old one.
        copy: begin with a copy of the data of the old one, which is another folder's.

    Raises:
        NeonupError: it could not be created, recorded or made ready.
    """
    now = lookup.find_database(settings)  # another start may have been here before the lock
    if now is not None and _will_do(settings, now, replaces, anyway=anyway):
        return Outcome(now, created=False)
    replaces = now
    file = lookup.file_of(settings) if replaces is not None else _new_file(settings)
    manager = plugins.create_plugin_manager()
    check_names(settings.tables, plugged=registry.plugged_options(manager))
    provider, why = _choose(settings, local_only, replaces)
    progress(f"Creating a {provider.name} database ({why})")
    if delete and replaces is not None and provider.local:
        provider.clear(replaces)
    database = _recorded(settings, provider, replaces, file, copy=copy)
    ready.run(settings, database, created=True, manager=manager)
    remarks = [f"provider: {provider.name} ({why})"]
    if delete and replaces is not None and not provider.local:
        remarks += _delete(provider, replaces)
    remarks += exposure.remarks(file)
    return Outcome(database.with_(source=str(file)), created=True, remarks=tuple(remarks))


def _new_file(settings: Settings) -> Path:
    """Where the new database is recorded."""
    try:
        return exposure.file_for_new(settings.env_file, lookup.beside(settings))
    except git.GitFailed:  # the banner says so
        return settings.env_file


def _recorded(
    settings: Settings,
    provider: Provider,
    replaces: Database | None,
    file: Path,
    *,
    copy: bool,
) -> Database:
    """A new database, in ``.env`` before anything else is called that may fail."""

    def write(database: Database) -> None:
        if settings.git_branches:
            checkout.follow(settings, provider, database)  # of which branch the new data is
        ready.expect(settings)
        record.write(database, settings, file, replace=replaces is not None)
        owner.settle(settings, database.with_(source=str(file)))

    spec = _spec(settings, provider, replaces, copy=copy)
    database = created.create(settings, provider, spec, record=write, replaces=replaces)
    lookup.publish(database, os.environ)
    return database


def _will_do(settings: Settings, now: Database, replaces: Database | None, *, anyway: bool) -> bool:
    """Whether the database that is recorded now makes a new one needless."""
    if replaces is None or not lookup.is_same(now, replaces):
        return True  # another start has created it
    if anyway:
        return False
    return now.provider == USER or provider_class(now.provider)(settings).check(now) is State.READY


def _choose(
    settings: Settings, local_only: str | None, replaces: Database | None
) -> tuple[Provider, str]:
    recorded = replaces.provider if replaces is not None else USER
    if recorded == USER or settings.source("provider") == "argument":
        return registry.choose_provider(settings, local_only=local_only)
    kept = replaced(settings, provider=recorded)  # a choice once made is kept
    provider, _ = registry.choose_provider(kept, local_only=local_only)
    return provider, f"as recorded in {settings.env_file.name}"


def _spec(
    settings: Settings, provider: Provider, replaces: Database | None, *, copy: bool
) -> DatabaseSpec:
    other = owner.settle(settings, replaces) if replaces is not None else None
    same = replaces is not None and replaces.provider == provider.name and other is None
    origin = None
    if copy and replaces is not None:
        origin = replaces.with_(source=str(other or replaces.source))
    elif settings.git_branches and replaces is None:
        origin = checkout.origin(settings, provider)
    return DatabaseSpec(
        project=settings.project,
        key=settings.key,
        env_file=settings.env_file,
        ref=settings.ref,
        logical_replication=settings.logical_replication,
        replaces=replaces if same and not copy else None,
        copy_of=origin,
    )


def _delete(provider: Provider, database: Database) -> list[str]:
    """Delete a database that was replaced; what there is to say of it."""
    try:
        provider.delete(database)
    except ProviderError as error:
        return [f"The old one still exists: {error.message}"]
    owner.forget(provider.settings, database)
    return []
