"""Each git branch has data of its own; for the setting ``git_branches``.

A provider keeps it behind the same URL, or behind one of its own, which ``.env`` has from then on.
Loaded only where the setting is on.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from neonup.database import Database
from neonup.env import git
from neonup.errors import CreationForbidden
from neonup.provider import Provider
from neonup.settings import Settings
from neonup.start import lookup


def follow(
    settings: Settings,
    provider: Provider,
    database: Database,
    *,
    sign: str | None = None,
    against: str | None = None,
    local_only: str | None = None,
    remark: Callable[[str], object] = bool,
) -> Database:
    """Go over to the data of the branch that is checked out.

    With a detached HEAD (a rebase, a tag) the project keeps the data that it has; and what is not
    on this machine is exchanged only where a database may be created, too: not in production or CI.

    Args:
        database: the project's, as recorded.
        sign, against, local_only: as of `neonup.start.flow.Start`.
        remark: is told what was changed.

    Returns:
        The database, which has another URL where the provider's branches have one each.

    Raises:
        ProviderError: the data could not be exchanged; it is as it was.
        NeonupError: the database is another folder's, which has that data now.
    """
    branch = git.branch(settings.project)
    before = provider.git_branch(database) if branch else None
    if branch is None or before in (None, branch):
        return database
    if not provider.local and not _may_create(settings, sign, against, local_only):
        return database
    from neonup.env import lock  # no start needs it where the data is the branch's

    with lock.project(settings):  # another start may be at it
        recorded = lookup.find_database(settings)
        if recorded is not None and recorded.provider == database.provider:
            database = recorded
        switched = exchange(settings, provider, database, remark)
        if switched.url != database.url:
            from neonup.env import record_changes
            from neonup.start import owner

            record_changes.write(switched, settings, lookup.file_of(settings), replace=True)
            owner.settle(settings, switched)
    return switched


def exchange(
    settings: Settings,
    provider: Provider,
    database: Database,
    remark: Callable[[str], object],
) -> Database:
    """As `follow`, for a database that is not recorded yet; under the project's lock."""
    branch = git.branch(settings.project)
    before = provider.git_branch(database)
    if branch is None or before in (None, branch):
        return database
    if before and provider.local:
        from neonup.start import owner  # no start needs it where nothing is exchanged

        owner.check(settings, database, "exchanged for that of another git branch")
    elif before:  # the provider knows whose its branches are
        lookup.check_replaceable(database)
    switched = provider.switch(database, branch).in_scheme(settings.url_scheme)
    if not before:
        return database
    data = f"begins as a copy of {before}" if switched.created else "its own data"
    remark(f"git branch {branch}: {data}{f' ({switched.note})' if switched.note else ''}")
    return switched.with_(created=database.created, note=database.note)


def _may_create(
    settings: Settings, sign: str | None, against: str | None, local_only: str | None
) -> bool:
    """Whether a database may be created here that is not on this machine."""
    from neonup.start import permission

    try:
        allowed = permission.ask(settings, sign, against=against, environ=os.environ)
    except CreationForbidden:
        return False
    return (local_only or allowed.local_only) is None


def origin(settings: Settings, provider: Provider) -> Database | None:
    """The main worktree's database, of which a new worktree's begins as a copy; None: none."""
    folder = git.in_main_worktree(settings.project)
    if folder is None or not settings.env_file.is_relative_to(settings.project):
        return None
    env_file = folder / settings.env_file.relative_to(settings.project)
    database = lookup.recorded(settings.with_(project=folder, env_file=env_file))
    return database if database is not None and database.provider == provider.name else None
