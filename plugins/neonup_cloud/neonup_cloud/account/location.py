"""Where a database is in an account: its project, perhaps one branch of it, and its URLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from neonup import ProviderError
from neonup.plugin.http import validation
from neonup.plugin.project import host
from neonup_cloud import NeonClient
from neonup_cloud.api import connection_urls
from neonup_cloud.api.answers import Branch, Endpoint
from neonup_cloud.api.errors import NotFound

_PORT = ":5432"
PROJECT = "a project id, or project id/branch id"


@dataclass(frozen=True)
class DatabaseLocation:
    """A database's place, whose id in ``.env`` is ``project`` or ``project/branch``.

    Args:
        project: the project's id.
        branch: the branch's id where the project is not neonup's, only this branch of it; None
            where neonup created the project.
    """

    project: str
    branch: str | None = None

    def __str__(self) -> str:
        return f"{self.project}/{self.branch}" if self.branch else self.project


@dataclass(frozen=True)
class Urls:
    """How a database is reached. ``repr`` shows no password."""

    pooled: str = field(repr=False)
    direct: str = field(repr=False)


def parse(text: str | None) -> DatabaseLocation:
    """A recorded id.

    Raises:
        ProviderError: it is none.
    """
    project, slash, branch = (text or "").partition("/")
    if not validation.id_of(project) or (slash and not validation.id_of(branch)):
        raise ProviderError(
            "It is unknown which Neon project the database is in.",
            checked=(f"the id in .env, which is {PROJECT}",),
            remedy="neonup adopt --project PROJECT_ID writes it.",
        )
    return DatabaseLocation(project, branch or None)


def branch_of(neon: NeonClient, place: DatabaseLocation) -> Branch:
    """The branch that the database is on: the one named, or the project's default one.

    Raises:
        NotFound: it does not exist.
    """
    if place.branch:
        return neon.branches.get(place.project, place.branch)
    for branch in neon.branches.list(place.project):
        if branch.default:
            return branch
    raise NotFound(f"Neon: the project {place.project} has no default branch.")


def endpoint_of(neon: NeonClient, project_id: str, url: str) -> Endpoint | None:
    """The endpoint of a project that a URL leads to."""
    wanted = host(url).removesuffix(_PORT)
    for one in neon.endpoints.list(project_id):
        if one.host.removesuffix(_PORT) == wanted:
            return one
    return None


def now(neon: NeonClient, place: DatabaseLocation, url: str) -> DatabaseLocation:
    """Where a database is that was recorded at a place: a restore moves it to another branch, and
    only its URL stays. The place itself, where no endpoint of the project has the URL's host.
    """
    if place.branch is None:
        return place
    try:
        endpoint = endpoint_of(neon, place.project, url)
    except NotFound:
        return place
    return replace(place, branch=endpoint.branch_id) if endpoint else place


def urls(
    neon: NeonClient, branch: Branch, *, database: str | None = None, role: str | None = None
) -> Urls:
    """How a branch's database is reached.

    Args:
        database: its name; the one there is, or Neon's usual one, if None.
        role: who connects; the database's owner if None.

    Raises:
        ProviderError: the branch has no such database, or several and none is named.
        NeonError: Neon refused, or did not answer.
    """
    name, owner = _database(neon, branch, database)
    found = []
    for pooled in (True, False):
        uri = neon.projects.connection_uri(
            branch.project_id,
            branch_id=branch.id,
            database_name=name,
            role_name=role or owner,
            pooled=pooled,
        )
        try:
            found.append(validation.connection_string(uri) or "")
        except ValueError as error:
            raise ProviderError(f"Neon: the answer cannot be used: {error}.") from None
    return Urls(*found)


def databases(neon: NeonClient, branch: Branch) -> Mapping[str, str]:
    """The owners of a branch's databases, by the databases' names."""
    path = f"/projects/{branch.project_id}/branches/{branch.id}/databases"
    answer: Any = neon.request("GET", path)
    try:
        return {str(one["name"]): str(one["owner_name"]) for one in answer["databases"]}
    except (KeyError, TypeError):
        raise ProviderError("Neon: the answer cannot be used: it lists no databases.") from None


def _database(neon: NeonClient, branch: Branch, wanted: str | None) -> tuple[str, str]:
    try:
        return connection_urls.chosen(databases(neon, branch), branch, wanted)
    except ProviderError as error:
        error.remedy = "Name one: NEONUP_ACCOUNT_DATABASE, or [tool.neonup.account] database"
        raise
