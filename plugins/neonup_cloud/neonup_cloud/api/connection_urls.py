"""How a branch's database is reached."""

from __future__ import annotations

from collections.abc import Mapping

from neonup.plugin.http import Call

from neonup import ProviderError
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.client import Groups

USUAL = "neondb"
"""What Neon calls a new project's database."""


def chosen(owners: Mapping[str, str], branch: Branch, wanted: str | None) -> tuple[str, str]:
    """The database of a branch that is meant, and its owner.

    Args:
        owners: of the branch's databases, by these's names.
        wanted: its name; the only one's, or `USUAL`, if None.

    Raises:
        ProviderError: the branch has no such database.
    """
    name = wanted or (next(iter(owners)) if len(owners) == 1 else USUAL)
    if name not in owners:
        raise ProviderError(
            f"The branch {branch.name} has no database {name!r}.",
            checked=(f"its databases: {', '.join(owners) or 'none'}",),
            remedy="Name one of them.",
        )
    return name, owners[name]


def url_of(neon: Groups[None], branch: Branch, database: str | None) -> Call[str]:
    """The URL of a branch's database, past the pooler; a secret. For the rest see `chosen`."""
    listed = yield from neon.databases.list(branch.project_id, branch.id)
    name, owner = chosen({one.name: one.owner_name for one in listed}, branch, database)
    return (
        yield from neon.projects.connection_uri(
            branch.project_id, branch_id=branch.id, database_name=name, role_name=owner
        )
    )
