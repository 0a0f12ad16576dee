"""What belongs to a project or a branch, derived from the owner that each kind of row names."""

from __future__ import annotations

from datetime import datetime

from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.model import Branch, Project
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import KINDS, Store


def is_owned_by(kind: type[Row], owner: type[Row]) -> bool:
    """Whether rows of a kind are removed with a row of another kind, be it by way of a third."""
    return kind.OWNER is not None and (kind.OWNER is owner or is_owned_by(kind.OWNER, owner))


def owned_by(store: Store, owner: Project | Branch) -> list[Row]:
    """The rows that are removed with a project or a branch, without this one itself."""
    column = "project_id" if isinstance(owner, Project) else "branch_id"
    kinds = [kind for kind in KINDS if is_owned_by(kind, type(owner))]
    return [row for kind in kinds for row in store.all(kind, **{column: owner.id})]


def inherited(store: Store, parent: Branch, child: Branch, now: datetime) -> list[Row]:
    """The rows of a child that begins with its parent's roles, passwords and databases."""
    copies = (row.inherited(child.id, now) for row in owned_by(store, parent))
    return [copy for copy in copies if copy is not None]


def unfinished(store: Store) -> list[Row]:
    """The rows of which the creation has not ended."""
    return [row for kind in KINDS for row in store.all(kind) if row.is_unfinished]


def unused_clusters(store: Store) -> list[Cluster]:
    """The clusters whose data no row needs."""
    used = {id_ for kind in KINDS for row in store.all(kind) for id_ in row.cluster_ids}
    return [row for row in store.all(Cluster) if row.id not in used]
