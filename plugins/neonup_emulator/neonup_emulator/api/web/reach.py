"""Which branch, database and role a page is about, and the URL that leads there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.web.visit import ConsoleVisit
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.model import Branch, BranchDatabase, Endpoint, Project, Role

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class ReachedDatabase:
    """A database of a branch, as one of its roles.

    Args:
        branches: all that can be chosen; the same for databases, roles and endpoints.
        endpoint: None where the branch has none: it cannot be connected to.
    """

    project: Project
    branches: list[Branch]
    branch: Branch
    databases: list[BranchDatabase]
    database: BranchDatabase | None
    roles: list[Role]
    role: Role | None
    endpoints: list[Endpoint]
    endpoint: Endpoint | None

    @property
    def url(self) -> str | None:
        """The URL; None where there is none, or the role's password is not kept."""
        if self.endpoint is None or self.database is None or self.role is None:
            return None
        if not self.role.password:
            return None
        return serializers.uri(self.project, self.endpoint, self.role, self.database.name)


def place(
    visit: ConsoleVisit, *, branch: str, database: str = "", role: str = ""
) -> ReachedDatabase:
    """What was chosen; what was not is the default branch, its first database and its owner.

    Nothing is woken for that: a sleeping branch has the databases that it was suspended with.

    Raises:
        NotFound: it is not there.
    """
    store, project = visit.neon.store, visit.project
    branches = store.all(Branch, project_id=project.id)
    branches.sort(key=lambda item: (not item.default, item.name.casefold()))
    chosen = _chosen(branches, branch, lambda item: item.id, "branch") or branches[0]
    visit.neon.computes.refresh(chosen)
    databases = store.all(BranchDatabase, branch_id=chosen.id)
    roles = store.all(Role, branch_id=chosen.id)
    database_row = _chosen(databases, database, lambda item: item.name, "database")
    database_row = database_row or (databases[0] if databases else None)
    owner = next(
        (item for item in roles if database_row and item.name == database_row.owner_name), None
    )
    user = _chosen(roles, role, lambda other: other.name, "role") or owner
    opened = store.all(Endpoint, branch_id=chosen.id)
    opened.sort(key=lambda endpoint: endpoint.type != "read_write")
    return ReachedDatabase(
        project,
        branches,
        chosen,
        databases,
        database_row,
        roles,
        user,
        opened,
        next((endpoint for endpoint in opened if not endpoint.disabled), None),
    )


def _chosen(
    rows: Sequence[Kind], wanted: str, name: Callable[[Kind], str], kind: str
) -> Kind | None:
    if not wanted:
        return None
    for row in rows:
        if name(row) == wanted:
            return row
    raise NotFound(f"there is no such {kind}")
