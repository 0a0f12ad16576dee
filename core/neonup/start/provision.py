"""Steps 4 and 5 of the flow: create a database where there is none, and write it down.

Loaded only where something is to be created.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import TYPE_CHECKING

from neonup import plugins
from neonup.database import USER, Database, DatabaseSpec, State
from neonup.env import dotenv, git, record
from neonup.errors import ProviderError
from neonup.provider import Provider
from neonup.providers import registry
from neonup.providers.registry import provider_class
from neonup.settings import Settings
from neonup.start import checkout, lookup, permission, ready
from neonup.start.permission import Permission

if TYPE_CHECKING:
    import pluggy


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
) -> Outcome:
    """Create a database, record it and make it ready. The caller holds the project's lock.

    Args:
        settings: the project's.
        replaces: the one whose place it takes; None: there is none.
        local_only: why only a database on this machine may be created; None if any may.
        progress: called with a description of each step.
        anyway: also where the old one is in order.
        delete: delete the old one.

    Raises:
        NeonupError: it could not be created, recorded or made ready.
    """
    if (other := _created_meanwhile(settings, replaces, anyway)) is not None:
        return Outcome(other, created=False)
    file = lookup.file_of(settings) if replaces is not None else settings.env_file
    manager = plugins.create_plugin_manager()
    provider, why = _choose(settings, local_only, replaces)
    progress(f"Creating a {provider.name} database ({why})")
    if delete and replaces is not None and provider.local:
        provider.clear(replaces)
    database = provider.provision(_spec(settings, provider, replaces))
    database = database.with_(key=settings.key)
    if settings.git_branches:
        checkout.follow(settings, provider, database)  # of which branch the new data is
    _adopt(settings, database, file, manager, replace=replaces is not None)
    remarks = [f"provider: {provider.name} ({why})"]
    if delete and replaces is not None and not provider.local:
        remarks += _delete(provider, replaces)
    if git.is_published(file):
        remarks.append(f"git does not ignore {file.name}: echo {file.name} >> .gitignore")
    return Outcome(database.with_(source=str(file)), created=True, remarks=tuple(remarks))


def _created_meanwhile(
    settings: Settings, replaces: Database | None, anyway: bool
) -> Database | None:
    """What another process created while this one waited for the lock; None: nothing of use."""
    other = lookup.find_database(settings)
    if other is None or (anyway and replaces is not None and other.url == replaces.url):
        return None
    if other.provider == USER or replaces is None or other.url != replaces.url:
        return other
    state = provider_class(other.provider)(settings).check(other)
    return other if state is State.READY else None


def _choose(
    settings: Settings, local_only: str | None, replaces: Database | None
) -> tuple[Provider, str]:
    recorded = replaces.provider if replaces is not None else USER
    if recorded == USER or settings.source("provider") == "argument":
        return registry.choose_provider(settings, local_only=local_only)
    kept = replaced(settings, provider=recorded)  # a choice once made is kept
    provider, _ = registry.choose_provider(kept, local_only=local_only)
    return provider, f"as recorded in {settings.env_file.name}"


def _spec(settings: Settings, provider: Provider, replaces: Database | None) -> DatabaseSpec:
    same = replaces is not None and replaces.provider == provider.name
    copies = settings.git_branches and replaces is None
    return DatabaseSpec(
        project=settings.project,
        key=settings.key,
        env_file=settings.env_file,
        ref=settings.ref,
        logical_replication=settings.logical_replication,
        replaces=replaces if same else None,
        copy_of=checkout.origin(settings, provider) if copies else None,
    )


def _delete(provider: Provider, database: Database) -> list[str]:
    """Delete a database that was replaced; what there is to say of it."""
    try:
        provider.delete(database)
    except ProviderError as error:
        return [f"The old one still exists: {error.message}"]
    return []


def _adopt(
    settings: Settings,
    database: Database,
    file: Path,
    manager: pluggy.PluginManager,
    *,
    replace: bool,
) -> None:
    extra: dict[str, str] = {}
    for more in manager.hook.neonup_env(database=database):
        extra |= more
    ready.expect(settings)
    record.write(database, settings, file, extra=extra, replace=replace)
    for name, value in extra.items():
        lookup.mark(name, value, os.environ)
    lookup.publish(database, os.environ)
    ready.run(settings, database, created=True, manager=manager)
