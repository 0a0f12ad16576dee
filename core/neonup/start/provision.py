"""Steps 4 and 5 of the flow: create a database where there is none, and write it down.

Loaded only where something is to be created.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replaced
from itertools import chain
from pathlib import Path

from neonup import plugins
from neonup.database import USER, Creation, Database, DatabaseSpec, State
from neonup.env import dotenv, exposure, git, record_changes
from neonup.errors import ProviderError
from neonup.provider import Provider
from neonup.providers import registry
from neonup.providers.registry import provider_class
from neonup.settings import Settings, check_names
from neonup.start import checkout, created, lookup, owner, permission, ready
from neonup.start.permission import CreationPermission


@dataclass(frozen=True)
class Provisioned:
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
) -> CreationPermission:
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
    creation: Creation,
    known: Database | None,
    *,
    local_only: str | None,
    remark: Callable[[str], None],
) -> Provisioned:
    """Create a database, record it and make it ready. The caller holds the project's lock.

    Args:
        creation: when it is created, and what becomes of the one that is recorded.
        known: what was recorded before the lock was taken; None: nothing was.
        local_only: why only a database on this machine may be created; None if any may.
        remark: says at once what a person should know before the first one is created.

    Raises:
        NeonupError: it could not be created, recorded or made ready.
    """
    replaces = lookup.find_database(settings)  # another start may have been here before the lock
    if replaces is not None and not _is_due(settings, creation, replaces, known):
        return Provisioned(replaces, created=False)
    file = lookup.file_of(settings) if replaces is not None else _new_file(settings)
    manager = plugins.create_plugin_manager()
    check_names(settings.tables, plugged=registry.plugged_options(manager))
    provider, why = _choose(settings, local_only, replaces)
    if replaces is None:
        for advice in chain.from_iterable(manager.hook.neonup_creating(settings=settings)):
            remark(advice)
    resets = replaces if creation is Creation.RESET else None
    if resets is not None and provider.local:
        provider.clear(resets)
    database = _recorded(settings, creation, provider, replaces, file=file, remark=remark)
    others = lookup.publish(settings, database, os.environ)
    ready.run(settings, database, created=not database.adopted, manager=manager)
    remarks = [f"provider: {provider.name} ({why})"]
    if resets is not None and not provider.local:
        remarks += _delete(provider, resets)
    if replaces is not None and replaces.provider == USER and not replaces.before_claim:
        remarks.append(
            f"your own {settings.key} is a comment in {file.name}; `neonup destroy` puts it back"
        )
    remarks += [*others, *exposure.remarks(file)]
    return Provisioned(database.with_(source=str(file)), created=True, remarks=tuple(remarks))


def _new_file(settings: Settings) -> Path:
    try:
        return exposure.file_for_new(settings.env_file, lookup.beside(settings))
    except git.GitFailed:  # the banner says so
        return settings.env_file


def _recorded(
    settings: Settings,
    creation: Creation,
    provider: Provider,
    replaces: Database | None,
    *,
    file: Path,
    remark: Callable[[str], None],
) -> Database:
    """A new database, in ``.env`` before anything else is called that may fail."""

    def write(database: Database) -> Database:
        if settings.git_branches:  # of which branch the new data is
            database = checkout.exchange(settings, provider, database, remark)
        (ready.forget if database.adopted else ready.expect)(settings)
        record_changes.write(database, settings, file, replace=replaces is not None, other=True)
        owner.settle(settings, database.with_(source=str(file)))
        return database

    spec = _spec(settings, creation, provider, replaces)
    return created.create(settings, provider, spec, record=write, replaces=replaces)


def _is_due(
    settings: Settings, creation: Creation, recorded: Database, known: Database | None
) -> bool:
    """Whether one is to be created though one is recorded; `known` was before the lock."""
    if known is None or not lookup.is_same(recorded, known):
        return False  # another start has created it
    if creation is not Creation.IF_NEEDED:
        return True
    if recorded.provider == USER:
        return False
    provider = provider_class(recorded.provider)(settings)
    return provider.check(recorded) is not State.READY


def _choose(
    settings: Settings, local_only: str | None, replaces: Database | None
) -> tuple[Provider, str]:
    recorded = replaces.provider if replaces is not None else USER
    if recorded == USER or settings.source("provider") == "argument":
        return registry.choose_provider(settings, local_only=local_only)
    recorded_settings = replaced(settings, provider=recorded)  # a choice once made is kept
    provider, _ = registry.choose_provider(recorded_settings, local_only=local_only)
    return provider, f"as recorded in {settings.env_file.name}"


def _spec(
    settings: Settings, creation: Creation, provider: Provider, replaces: Database | None
) -> DatabaseSpec:
    other = owner.settle(settings, replaces) if replaces is not None else None
    same = replaces is not None and replaces.provider == provider.name and other is None
    origin = None
    copies = creation is Creation.FORK
    if copies and replaces is not None:
        origin = replaces.with_(source=str(other or replaces.source))
    elif settings.git_branches and replaces is None:
        origin = checkout.origin(settings, provider)
    return DatabaseSpec(
        project=settings.project,
        key=settings.key,
        env_file=settings.env_file,
        ref=settings.ref,
        logical_replication=settings.logical_replication,
        replaces=replaces if same and not copies else None,
        copy_of=origin,
    )


def _delete(provider: Provider, database: Database) -> list[str]:
    try:
        provider.delete(database)
    except ProviderError as error:
        return [f"The old one still exists: {error.message}"]
    owner.forget(provider.settings.home, database.provider, database.id or "")
    return []
