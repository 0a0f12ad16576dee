"""Steps 4 and 5 of the flow: make a database where there is none, and write it down.

Loaded only where something is to be made.
"""

from __future__ import annotations

import os
from dataclasses import replace as replaced
from pathlib import Path
from typing import TYPE_CHECKING

from neonup import dotenv, git, lock, lookup, permission, plugins, ready, record
from neonup.database import USER, Database, DatabaseSpec, State
from neonup.errors import ProviderError
from neonup.providers import provider_class
from neonup.providers.base import Provider
from neonup.settings import Settings

if TYPE_CHECKING:
    import pluggy

    from neonup.flow import Start


def create(
    start: Start,
    replaces: Database | None = None,
    *,
    need: str | None = None,
    anyway: bool = False,
    delete: bool = False,
) -> Database:
    """Make a database under the project's lock, record it and make it ready.

    Args:
        start: the start that needs it.
        replaces: the one whose place it takes.
        need: why there must be a new one; None: there is none.
        anyway: also where the old one is in order.
        delete: delete the old one.

    Raises:
        CreationForbidden: none may be made here.
        NeonupError: it could not be made, recorded or made ready.
    """
    settings = start.settings
    allowed = permission.ask(
        settings, start.sign, against=start.against, need=need, environ=os.environ
    )
    file = lookup.file_of(settings) if replaces is not None else settings.env_file
    dotenv.check_writable(file)
    with lock.project(settings):
        if (other := _made_meanwhile(start, replaces, anyway)) is not None:
            return other
        manager = plugins.create_plugin_manager()
        provider, why = _choose(settings, start.local_only or allowed.local_only, replaces)
        start.progress(f"Making a {provider.name} database ({why})")
        if delete and replaces is not None and provider.local:
            provider.delete(replaces)
        database = provider.provision(_spec(settings, provider, replaces))
        database = database.with_(key=settings.key)
        start.remarks.append(f"provider {provider.name}: {why}")
        _adopt(settings, database, file, manager, replace=replaces is not None)
        if delete and replaces is not None and not provider.local:
            start.remarks += _delete(provider, replaces)
        if git.is_published(file):
            start.remarks.append(f"git does not ignore {file.name}: echo {file.name} >> .gitignore")
        database = database.with_(source=str(file))
        start.announce(database)  # before a worker that waits can say "found"
        return database


def _made_meanwhile(start: Start, replaces: Database | None, anyway: bool) -> Database | None:
    """What another process made while this one waited for the lock; None where it is to do."""
    other = lookup.find_database(start.settings)
    if other is None or (anyway and replaces is not None and other.url == replaces.url):
        return None
    if other.provider == USER:
        return other
    if replaces is None or other.url != replaces.url:
        return start.check(other)
    state = provider_class(other.provider)(start.settings).check(other)
    return other if state is State.READY else None


def _choose(
    settings: Settings, local_only: str | None, replaces: Database | None
) -> tuple[Provider, str]:
    recorded = replaces.provider if replaces is not None else USER
    if recorded == USER or settings.source("provider") == "argument":
        return plugins.choose_provider(settings, local_only=local_only)
    kept = replaced(settings, provider=recorded)  # a choice once made is kept
    provider, _ = plugins.choose_provider(kept, local_only=local_only)
    return provider, f"as recorded in {settings.env_file.name}"


def _spec(settings: Settings, provider: Provider, replaces: Database | None) -> DatabaseSpec:
    same = replaces is not None and replaces.provider == provider.name
    return DatabaseSpec(
        project=settings.project,
        key=settings.key,
        env_file=settings.env_file,
        ref=settings.ref,
        logical_replication=settings.logical_replication,
        replaces=replaces if same else None,
    )


def _delete(provider: Provider, database: Database) -> list[str]:
    """Delete a database that was replaced; what there is to say of it."""
    try:
        provider.delete(database)
    except ProviderError as error:
        return [f"The old one is still there: {error.message}"]
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
