"""Each git branch has data of its own, behind the same URL; for the setting ``git_branches``.

Loaded only where it is set.
"""

from __future__ import annotations

from dataclasses import replace

from neonup.database import Database
from neonup.env import git
from neonup.provider import Provider
from neonup.settings import Settings
from neonup.start import lookup


def follow(settings: Settings, provider: Provider, database: Database) -> str | None:
    """Give the database the data of the branch that is checked out.

    With a detached HEAD (a rebase, a tag) it keeps the data that it has.

    Returns:
        What to say of it; None: nothing was changed.

    Raises:
        ProviderError: the data could not be exchanged; it is as it was.
        NeonupError: the database is another folder's, which has that data now.
    """
    branch = git.branch(settings.project)
    if branch is None or provider.git_branch(database) in (None, branch):
        return None
    from neonup.env import lock  # no start needs it where the data is the branch's

    with lock.project(settings):  # another start may be at it
        branch = git.branch(settings.project)
        before = provider.git_branch(database)
        if branch is None or before in (None, branch):
            return None
        if before:
            from neonup.start import owner  # no start needs it where nothing is exchanged

            owner.check(settings, database, "exchanged for that of another git branch")
        known = provider.switch(database, branch)
    if not before:
        return None
    return f"git branch {branch}: {'its own data' if known else f'begins as a copy of {before}'}"


def origin(settings: Settings, provider: Provider) -> Database | None:
    """The main worktree's database, of which a new worktree's begins as a copy; None: none."""
    folder = git.in_main_worktree(settings.project)
    if folder is None or not settings.env_file.is_relative_to(settings.project):
        return None
    env_file = folder / settings.env_file.relative_to(settings.project)
    database = lookup.recorded(replace(settings, project=folder, env_file=env_file))
    return database if database is not None and database.provider == provider.name else None
