"""The project that commands use by default: the one of the database in .env."""

from __future__ import annotations

from collections.abc import Iterator

from neonup import USER, Database, NeonupError, Settings
from neonup.plugin.commands import resolve_by_id_or_name
from neonup.plugin.project import provider_class
from neonup_cloud import NeonClient
from neonup_cloud.account import location
from neonup_cloud.api import local_discovery
from neonup_cloud.api.answers import Endpoint, Project
from neonup_cloud.api.errors import Forbidden, NotFound
from neonup_cloud.api.local_discovery import DiscoveredNeon
from neonup_cloud.options import AccountOptions

_LOOPBACK = "127."
"""What the hosts of a local Neon's endpoints begin with."""


def on_local_neon(database: Database | None) -> bool:
    """Whether a database may be one of a local Neon on this machine, by where its URL leads."""
    return (
        database is not None
        and database.provider != "local"
        and _endpoint_host(database).startswith(_LOOPBACK)
    )


def _endpoint_host(database: Database) -> str:
    return location.endpoint_host(database.url, _environ(database))


def _environ(database: Database) -> dict[str, str] | None:
    """The variables that say where a database is; none do for one that neonup created."""
    return {} if database.own else None


def organizations(neon: NeonClient, org: str | None) -> list[str | None]:
    """The organizations to search: the given one, or else all that the key reaches.

    An organization's key, and one of a project, see their own without naming it.
    """
    if org is not None:
        return [org]
    try:
        return [organization.id for organization in neon.organizations.list()] or [None]
    except (Forbidden, NotFound):
        return [None]


def projects(
    neon: NeonClient,
    org: str | None,
    *,
    search: str | None = None,
    recoverable: bool | None = None,
) -> Iterator[Project]:
    """The projects that the key reaches, in one organization or all of them."""
    for org_id in organizations(neon, org):
        yield from neon.projects.list(org_id=org_id, search=search, recoverable=recoverable)


def named(neon: NeonClient, text: str, org: str | None, *, deleted: bool = False) -> Project:
    """The project of an id or a name.

    Raises:
        NeonupError: there is no such project, or several have that name.
    """
    matches = projects(neon, org, search=text, recoverable=deleted or None)
    missing = NeonupError(f"The account has no {'deleted ' if deleted else ''}project {text!r}.")
    return resolve_by_id_or_name(matches, text, plural="projects", missing=missing)


def project_id(
    neon: NeonClient, settings: Settings, database: Database | None, org: str | None
) -> str | None:
    """The id of the project that a database is in; None if it is unknown.

    It is recorded, or else the account has an endpoint that the URL leads to.

    Raises:
        NeonupError: it is a database of the provider ``local``, which is in no project.
    """
    if database is None:
        return None
    name, id_ = database.before_claim or (database.provider, database.id)
    if name == "local":
        raise NeonupError(
            "This project's database is one of the provider local, which has no branches, "
            "snapshots or usage.",
            checked=[f"{database.key} from {database.source}"],
            remedy="`neonup versions` keeps versions of it, and makes copies beside it. Neon has "
            "the others: name a project (--project), or create one: neonup --provider "
            "account --force; a Neon on this machine: neonup serve, and then --local.",
        )
    if name != USER:
        provider = provider_class(name)(settings)
        if recorded_id := provider.neon_project(database.with_(provider=name, id=id_)):
            return recorded_id
    endpoint = endpoint_of(neon, database, org)
    return endpoint.project_id if endpoint else None


def endpoint_of(neon: NeonClient, database: Database, org: str | None) -> Endpoint | None:
    """The account's endpoint that a URL leads to. It lists the endpoints of each project."""
    if not _endpoint_host(database).startswith(("ep-", _LOOPBACK)):
        return None
    for project in projects(neon, org):
        if endpoint := location.endpoint_of(neon, project.id, database.url, _environ(database)):
            return endpoint
    return None


def local_neon(
    settings: Settings, database: Database | None, options: AccountOptions, *, local: bool = False
) -> DiscoveredNeon | None:
    """The local Neon that a database belongs to; None if it belongs to no local Neon.

    Args:
        options: if they name an API, e.g. by serve's own variables, that API is used instead.
        local: use the local Neon, whatever the database is.

    Raises:
        NeonupError: it does not run.
    """
    if not local and (options.url or not on_local_neon(database)):
        return None
    running = local_discovery.running(settings.home)
    if running is None:
        raise NeonupError(
            "No local Neon runs on this machine.",
            checked=[str(settings.home / "serve.url")],
            remedy="Start it in another terminal: neonup serve",
        )
    return running
