"""Finding the projects of users: Neon is asked each time, since the names are the only record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from neonup.plugin.http import Call
from neonup_cloud.api.answers import Project
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import NotFound
from neonup_cloud.fleets.errors import DeletionPending, FleetError, NoProject, ProjectGone
from neonup_cloud.fleets.naming import Label, Lifecycle, Naming
from neonup_cloud.fleets.tiers import Tiers

_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class UserProject:
    """A user's project.

    Args:
        project_id: Neon's id, which can be stored and passed back as ``project_id``.
        label: what its name says.
        org_id: the organization that it is in.
        created_at: when it was created.
        created: whether this call created it.
        deleted_at: when it was deleted, where it is one that can be recovered.
        key: a new API key of the project, where one was asked for; nothing but this attribute
            shows it.
    """

    project_id: str
    label: Label
    org_id: str | None = None
    created_at: datetime | None = None
    created: bool = False
    deleted_at: datetime | None = None
    key: str | None = field(default=None, repr=False)

    @property
    def user(self) -> str | None:
        """The user's key; None where names hold hashes and the user was not named."""
        return self.label.user

    @property
    def tier(self) -> str:
        """The name of its tier."""
        return self.label.tier

    @property
    def lifecycle(self) -> Lifecycle:
        """Whether the project may be used."""
        return self.label.lifecycle

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "project_id": self.project_id,
            "user": self.user,
            "tier": self.tier,
            "lifecycle": self.lifecycle.value,
            "due": self.label.due,
            "changing": self.label.changing,
            "org_id": self.org_id,
            "created_at": self.created_at,
            "created": self.created,
        }


@dataclass(frozen=True)
class Register:
    """Finds the projects of users.

    Args:
        neon: makes the calls.
        naming: how projects are named.
        tiers: which there are, and so in which organizations projects can be.
    """

    neon: Groups[None]
    naming: Naming
    tiers: Tiers

    def read(self, project: Project) -> UserProject | None:
        """A project of Neon's as a user's; None if it does not belong to this fleet."""
        label = self.naming.read(project.name)
        if label is None:
            return None
        return UserProject(
            project.id, label, project.org_id, project.created_at, deleted_at=project.deleted_at
        )

    def all(self, *, deleted: bool = False) -> Call[list[UserProject]]:
        """The projects of all users, the oldest first.

        Args:
            deleted: list deleted projects that Neon can still recover, instead.
        """
        return self._listed(f"{self.naming.prefix}/", deleted=deleted)

    def of(self, user: str, *, deleted: bool = False) -> Call[list[UserProject]]:
        """A user's projects, the oldest first. There are several only while creations race."""
        key = self.naming.key(user)
        projects = yield from self._listed(self.naming.search(key), deleted=deleted)
        return [project for project in projects if project.label.key == key]

    def find(self, user: str, project_id: str | None = None) -> Call[UserProject | None]:
        """A user's project; None if the user has no project.

        Args:
            project_id: the stored id: it is read instead of being searched for.

        Raises:
            ProjectGone: the project of that id is not there, or not this user's.
        """
        key = self.naming.key(user)
        if project_id is None:
            projects = yield from self.of(user)
            return projects[0] if projects else None
        try:
            answer = yield from self.neon.projects.get(project_id)
        except NotFound:
            raise ProjectGone(
                f"The project {project_id} of the user {user!r} does not exist any more.",
                remedy="Neon can recover a deleted project for 7 days: Fleet.undelete. Leave "
                "project_id out to create a new one.",
            ) from None
        project = self.read(answer)
        if project is None or project.label.key != key:
            raise ProjectGone(
                f"The project {project_id} is not one of the user {user!r}.",
                checked=[f"its name: {answer.name}"],
                remedy="Leave project_id out to search for the user's project.",
            )
        return project

    def known(self, user: str, project_id: str | None = None) -> Call[UserProject]:
        """As `find`, but raises if the user has no project.

        Raises:
            NoProject: the user has none.
            ProjectGone: as `find`.
        """
        project = yield from self.find(user, project_id)
        if project is None:
            raise missing(user)
        return project

    def usable(self, user: str, project_id: str | None = None) -> Call[UserProject]:
        """As `known`, but raises if the project waits to be deleted.

        Raises:
            DeletionPending: the project waits to be deleted.
        """
        project = yield from self.known(user, project_id)
        refuse_deleting(project, user)
        return project

    def misplaced(self, project: UserProject, tier: str | None = None) -> bool:
        """Whether a project is in another organization than its tier, or another tier, demands.

        Args:
            tier: its own if None.
        """
        named = self.tiers.get(tier or project.tier)
        org_id = (named.org_id if named else None) or self.neon.api.org_id
        return (
            named is not None and None not in (org_id, project.org_id) and org_id != project.org_id
        )

    def _listed(self, search: str, *, deleted: bool) -> Call[list[UserProject]]:
        projects: dict[str, UserProject] = {}
        for org_id in self.tiers.organizations(self.neon.api.org_id):
            listed = yield from self.neon.projects.list(
                org_id=org_id, search=search, recoverable=deleted or None
            )
            # In pages that change meanwhile a project can come twice.
            projects |= {
                project.project_id: project
                for project in map(self.read, listed)
                if project is not None
            }
        return sorted(projects.values(), key=age)


def age(project: UserProject) -> tuple[datetime, str]:
    """A sort key: the oldest project first, in the same order for every process."""
    return (project.created_at or _FIRST, project.project_id)


def labelled(project: UserProject, label: Label) -> UserProject:
    """This project with another label."""
    return replace(project, label=label)


def missing(user: str) -> NoProject:
    """The error for a user who has no project."""
    return NoProject(
        f"The user {user!r} has no project.",
        remedy="Create it: Fleet.provision, or `neonup fleet provision USER`.",
    )


def refuse_deleting(project: UserProject, user: str) -> None:
    """Raise `DeletionPending` if a project waits to be deleted."""
    if project.lifecycle is Lifecycle.DELETING:
        raise DeletionPending(
            f"The project of the user {user!r} is to be deleted at {project.label.due}.",
            checked=[f"project {project.project_id}"],
            remedy="Cancel the deletion: Fleet.undelete, or `neonup fleet delete --cancel USER`.",
        )


def refuse_suspended(project: UserProject, user: str) -> None:
    """Raise `FleetError` if a project is suspended."""
    if project.lifecycle is Lifecycle.SUSPENDED:
        raise FleetError(
            f"The project of the user {user!r} is suspended.",
            checked=[f"project {project.project_id}"],
            remedy="Enable it again: Fleet.resume.",
        )
