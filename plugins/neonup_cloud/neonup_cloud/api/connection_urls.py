"""The URLs of a branch's database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from neonup import ProviderError
from neonup.plugin.http import Call, validation
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import UnusableAnswer

DEFAULT_DATABASE = "neondb"
"""What Neon calls a new project's database."""


@dataclass(frozen=True)
class ConnectionUrls:
    """The URLs of a database; secrets, so ``repr`` does not show them.

    Args:
        pooled: through the connection pooler.
        direct: without it, e.g. for migrations.
    """

    pooled: str = field(repr=False)
    direct: str = field(repr=False)


def database_owners(neon: Groups[None], branch: Branch) -> Call[Mapping[str, str]]:
    """The owners of a branch's databases, by the databases' names."""
    databases = yield from neon.databases.list(branch.project_id, branch.id)
    return {database.name: database.owner_name for database in databases}


def connection_urls(
    neon: Groups[None], branch: Branch, *, database: str | None = None, role: str | None = None
) -> Call[ConnectionUrls]:
    """Both URLs of a branch's database.

    Args:
        database: its name; the only database, or `DEFAULT_DATABASE`, if None.
        role: who connects; the database's owner if None.

    Raises:
        ProviderError: the branch has no such database.
        NeonError: Neon refused, or did not answer.
    """
    name, owner = yield from _choose_database(neon, branch, database)
    pooled = yield from _url(neon, branch, name, role or owner, pooled=True)
    direct = yield from _url(neon, branch, name, role or owner, pooled=False)
    return ConnectionUrls(pooled, direct)


def direct_url(neon: Groups[None], branch: Branch, database: str | None) -> Call[str]:
    """The URL of a branch's database without the pooler; see `connection_urls`."""
    name, owner = yield from _choose_database(neon, branch, database)
    return (yield from _url(neon, branch, name, owner, pooled=False))


def _choose_database(
    neon: Groups[None], branch: Branch, wanted: str | None
) -> Call[tuple[str, str]]:
    """The name of the requested database, and its owner."""
    owners = yield from database_owners(neon, branch)
    name = wanted or (next(iter(owners)) if len(owners) == 1 else DEFAULT_DATABASE)
    if name not in owners:
        raise ProviderError(
            f"The branch {branch.name} has no database {name!r}.",
            checked=(f"its databases: {', '.join(owners) or 'none'}",),
            remedy="Name one of them.",
        )
    return name, owners[name]


def _url(
    neon: Groups[None], branch: Branch, database: str, role: str, *, pooled: bool
) -> Call[str]:
    uri = yield from neon.projects.connection_uri(
        branch.project_id,
        branch_id=branch.id,
        database_name=database,
        role_name=role,
        pooled=pooled,
    )
    try:
        return validation.connection_string(uri) or ""
    except ValueError as error:
        raise UnusableAnswer(f"Neon: the answer cannot be used: {error}.") from None
