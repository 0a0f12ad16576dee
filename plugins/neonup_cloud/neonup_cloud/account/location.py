"""The location of a database in an account: its project or branch, and its URLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from neonup import ProviderError, ServiceError, SettingsError, destination
from neonup.plugin.http import drive, validation
from neonup_cloud import NeonClient
from neonup_cloud.api import connection_urls
from neonup_cloud.api.answers import Branch, Endpoint
from neonup_cloud.api.client import Groups
from neonup_cloud.api.connection_urls import ConnectionUrls
from neonup_cloud.api.errors import NotFound

_PORT = ":5432"
PROJECT = "a project id, or project id/branch id"


@dataclass(frozen=True)
class DatabaseLocation:
    """A database's location, whose id in ``.env`` is ``project`` or ``project/branch``.

    Args:
        project: the project's id.
        branch: the branch's id where the project is not neonup's, only this branch of it; None
            where neonup created the project.
    """

    project: str
    branch: str | None = None

    def __str__(self) -> str:
        return f"{self.project}/{self.branch}" if self.branch else self.project


def parse(text: str | None) -> DatabaseLocation:
    """Parse a recorded id.

    Raises:
        ProviderError: it is not a valid id.
    """
    project, slash, branch = (text or "").partition("/")
    if not validation.id_of(project) or (slash and not validation.id_of(branch)):
        raise ProviderError(
            "It is unknown which Neon project the database is in.",
            checked=(f"the id in .env, which is {PROJECT}",),
            remedy="neonup adopt --project PROJECT_ID writes it.",
        )
    return DatabaseLocation(project, branch or None)


def branch_of(neon: NeonClient, location: DatabaseLocation) -> Branch:
    """The branch of a location: the one that it names, or the project's default branch.

    Raises:
        NotFound: it does not exist.
    """
    if location.branch:
        return neon.branches.get(location.project, location.branch)
    for branch in neon.branches.list(location.project):
        if branch.default:
            return branch
    raise NotFound(f"Neon: the project {location.project} has no default branch.")


def endpoint_host(url: str, environ: Mapping[str, str] | None = None) -> str:
    """The host of the endpoint that a URL leads to, past a pooler; with its port unless 5432.

    Neon tells its endpoints by their names, whatever address is connected to; a local Neon's have
    an address each.

    Args:
        url: of any database.
        environ: as in `neonup.destination.servers`.

    Returns:
        ``""``: it leads nowhere, since a service that it names is unknown.
    """
    try:
        server = destination.servers(url, environ)[0]
    except SettingsError:
        return ""
    label, dot, domain = server.host.partition(".")
    if not label.startswith("ep-"):
        return f"{server.address}:{server.port}".removesuffix(_PORT)
    return f"{label.removesuffix('-pooler')}{dot}{domain}:{server.port}".removesuffix(_PORT)


def endpoint_of(
    neon: NeonClient, project_id: str, url: str, environ: Mapping[str, str] | None = None
) -> Endpoint | None:
    """The endpoint of a project that a URL leads to; for the arguments see `endpoint_host`."""
    return endpoint_on(neon, project_id, endpoint_host(url, environ))


def endpoint_on(neon: NeonClient, project_id: str, host: str) -> Endpoint | None:
    """The endpoint of a project that has a host, as `endpoint_host` writes it."""
    for endpoint in neon.endpoints.list(project_id):
        if endpoint.host.removesuffix(_PORT) == host:
            return endpoint
    return None


def now(neon: NeonClient, location: DatabaseLocation, url: str) -> DatabaseLocation:
    """The present location of a database: a restore moves it to another branch, its URL stays.

    Args:
        location: the recorded one; it is returned where no endpoint of the project has the URL's
            host.
    """
    return now_on(neon, location, endpoint_host(url, {}))


def now_on(neon: NeonClient, location: DatabaseLocation, host: str) -> DatabaseLocation:
    """As `now`, of a database whose endpoint's host is known."""
    if location.branch is None:
        return location
    try:
        endpoint = endpoint_on(neon, location.project, host)
    except NotFound:
        return location
    return replace(location, branch=endpoint.branch_id) if endpoint else location


def urls(
    neon: NeonClient, branch: Branch, *, database: str | None = None, role: str | None = None
) -> ConnectionUrls:
    """The URLs of a branch's database; for the parameters see `connection_urls`.

    Raises:
        ProviderError: the branch has no such database, or several and none is named.
        NeonError: Neon refused, or did not answer.
    """
    calls = Groups(neon.api, None)
    try:
        return drive(
            connection_urls.connection_urls(calls, branch, database=database, role=role),
            neon.sender,
        )
    except ProviderError as error:
        if not isinstance(error, ServiceError):
            error.remedy = "Name one: NEONUP_ACCOUNT_DATABASE, or [tool.neonup.account] database"
        raise


def databases(neon: NeonClient, branch: Branch) -> Mapping[str, str]:
    """The owners of a branch's databases, by the databases' names."""
    calls = Groups(neon.api, None)
    return drive(connection_urls.database_owners(calls, branch), neon.sender)
