"""The Neon branch that ``.neon`` names, and which branches neonup uses that it did not create."""

from __future__ import annotations

from neonup import Database, DatabaseSpec, ProviderError, Settings, SettingsError
from neonup.plugin.project import StateStore, git_branch
from neonup_cloud import NeonClient
from neonup_cloud.account import linked
from neonup_cloud.account import location as locations
from neonup_cloud.account.git_branches import GitBranches
from neonup_cloud.account.linked import NeonLink
from neonup_cloud.account.location import DatabaseLocation
from neonup_cloud.api.answers import Branch
from neonup_cloud.options import AccountOptions


def named(neon: NeonClient, link: NeonLink | None, project_id: str) -> Branch | None:
    """The branch that a link names in a project; None: it names none there.

    Raises:
        SettingsError: the project has no such branch.
    """
    name = link.branch_in(project_id) if link else None
    if link is None or name is None:
        return None
    branch = _look(neon, project_id, name)
    if branch is None:
        raise SettingsError(
            f"{link.path} names the branch {name!r}, which the project {project_id} does not have.",
            remedy="Go to another one with Neon's own command, `neon checkout NAME`, or remove "
            f"branch from {link.path}.",
        )
    return branch


def for_new_database(
    neon: NeonClient,
    settings: Settings,
    options: AccountOptions,
    link: NeonLink | None,
    spec: DatabaseSpec,
) -> Branch | None:
    """The branch that is used instead of a new one; None: a new one is to be created.

    With ``git_branches`` it is the one that ``neon git`` has noted for the git branch.

    Raises:
        SettingsError: the project has no branch of the link's name, or `linked.find`'s.
    """
    if link is None or link.project is None or options.branch or spec.replaces or spec.copy_of:
        return None
    on_branch = git_branch(settings.project) if settings.git_branches else None
    if on_branch is None:
        return named(neon, link, link.project)
    mapped = linked.mapped_branch(settings.project, link.project, on_branch)
    return _look(neon, link.project, mapped) if mapped else None


def _look(neon: NeonClient, project_id: str, name: str) -> Branch | None:
    branches = list(neon.branches.list(project_id, search=name))
    by_id = (branch for branch in branches if branch.id == name)
    return next(by_id, next((branch for branch in branches if branch.name == name), None))


def note(settings: Settings, project_id: str, url: str) -> None:
    """Note that the database is on a branch that neonup did not create.

    The endpoint's host says which, since that stays where a restore moves it to another branch.
    """
    content = {"project": project_id, "host": locations.endpoint_host(url, {})}
    _store(settings).write(settings.state_name, content)


def check_created(
    neon: NeonClient, settings: Settings, location: DatabaseLocation, database: Database
) -> None:
    """Refuse to delete a branch that neonup did not create.

    Args:
        location: where the database is now.

    Raises:
        ProviderError: it was noted so, or ``.neon`` names it and nothing says that it was created.
        NeonError: Neon refused, or did not answer.
        SettingsError: ``.neon`` cannot be used.
    """
    if location.branch is None or _was_created(settings, str(location)):
        return
    store = _store(settings)
    notes = [store.read(name) for name in store.names()]
    noted = {"project": location.project, "host": locations.endpoint_host(database.url, {})}
    link = linked.find(settings.project)
    is_linked = link and link.branch_in(location.project)
    if noted not in notes and not is_linked:
        return
    name = locations.branch_of(neon, location).name
    if noted in notes or is_linked in (name, location.branch):
        raise ProviderError(
            f"The Neon branch {name} was not created by neonup, so it is not deleted.",
            checked=(f"the project {location.project}",),
            remedy=f"`neonup branches delete {name}` deletes it with its data. To use another "
            f"database here, remove {settings.key} and neonup's lines from .env.",
        )


def _was_created(settings: Settings, id_: str) -> bool:
    store = StateStore(settings.home, "account")
    return any((store.read(name) or {}).get("id") == id_ for name in store.names()) or any(
        record.created and record.id == id_
        for records in GitBranches.everywhere(settings.home)
        for record in records.all().values()
    )


def _store(settings: Settings) -> StateStore:
    return StateStore(settings.home / "account", "others")
