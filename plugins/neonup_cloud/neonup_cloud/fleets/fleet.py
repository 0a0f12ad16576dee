"""A fleet: a Neon project for each user of a platform. It needs no table of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Generic

from neonup import SettingsError
from neonup.plugin.http import Call
from neonup_cloud.api.groups.group import S, operation
from neonup_cloud.fleets import deletion, downgrade, project_keys, provisioning, reconcile, usage
from neonup_cloud.fleets.deletion import Deletion
from neonup_cloud.fleets.downgrade import TierChange
from neonup_cloud.fleets.fleet_operations import FleetOperations
from neonup_cloud.fleets.naming import Lifecycle
from neonup_cloud.fleets.register import UserProject, refuse_deleting, refuse_suspended
from neonup_cloud.fleets.tiers import Tier
from neonup_cloud.fleets.usage import ProjectUsage


class Fleet(FleetOperations[S], Generic[S]):
    """The projects of a platform's users: blocking over a `NeonClient`, awaited over an
    `AsyncNeonClient`.

        fleet = Fleet(neon, [Tier("free"), Tier("pro")], prefix="acme")
        project = fleet.provision("anna@example.com", "free")
        url = fleet.connection("anna@example.com", project_id=project.project_id)

    All calls can be repeated: after an error or a crash the same call ends in the state asked for.

    Args:
        neon: the client.
        tiers: which there are.
        prefix: what the projects' names begin with; see `Naming`, also for ``hashed``, ``secret``.
        layout: what new projects have.
    """

    @operation
    def provision(
        self, user: str, tier: str, *, project_id: str | None = None, key: bool = False
    ) -> Call[UserProject]:
        """A user's project, created if the user has none. Concurrent calls return the same project.

        Args:
            user: the user's key, e.g. an id or an e-mail address; compared exactly.
            tier: of a new project; one that is there keeps its own.
            project_id: the stored id: it is read instead of being searched for.
            key: whether it gets a new API key, which is in `UserProject.key` this once; the key
                that it had from an earlier call is revoked. So ask for one where you have none
                stored, not at each sign-in. Takes a personal key of an admin; reads all keys of
                the organization.

        Raises:
            KeyReplaced: another process has asked for a key at the same time, and has the newer.
            DeletionPending: it is waiting to be deleted.
            ProjectGone: the project of that id is not there, or not this user's.
            AnswerLost: it may have been created; call again, which looks for it first.
        """
        wanted = self.tiers.named(tier)
        project = yield from self.register.find(user, project_id)
        if project is None:
            project = yield from provisioning.create(self.register, self.layout, user, wanted)
        else:
            refuse_deleting(project, user)
            project = yield from reconcile.finish(self.register, project)
        if key:
            project = replace(
                project, key=(yield from project_keys.replaced(self.register, project))
            )
        return project

    @operation
    def revoke_key(self, user: str, *, project_id: str | None = None) -> Call[int]:
        """Revoke the keys that `provision` created for a user's project; the number of them.

        A deleted project's key reaches nothing, but stays in Neon's list, and works again after
        `undelete`.

        Raises:
            NoProject: the user has none.
        """
        project = yield from self.register.known(user, project_id)
        return (yield from project_keys.revoked(self.register, project))

    @operation
    def find(self, user: str, *, project_id: str | None = None) -> Call[UserProject | None]:
        """A user's project in any of the tiers' organizations; None if the user has none.

        Raises:
            ProjectGone: as `provision`.
        """
        return self.register.find(user, project_id)

    @operation
    def connection(
        self, user: str, *, pooled: bool = True, project_id: str | None = None
    ) -> Call[str]:
        """The URL of a user's database, with the password: a secret.

        Args:
            pooled: through the pooler; migrations take the other.
            project_id: the stored id: then one request is enough, and nothing is checked.

        Raises:
            NoProject: the user has none.
            FleetError: it takes no connections: it is suspended, or waiting to be deleted.
        """
        if project_id is None:
            project = yield from self.register.usable(user)
            refuse_suspended(project, user)
            project_id = project.project_id
        return (
            yield from self.calls.projects.connection_uri(
                project_id,
                database_name=self.layout.database,
                role_name=self.layout.role,
                pooled=pooled,
            )
        )

    @operation
    def suspend(self, user: str, *, project_id: str | None = None) -> Call[UserProject]:
        """Disable a user's project until `resume`: it takes no connections, and keeps its data.

        Raises:
            NoProject: the user has none.
            DeletionPending: it is waiting to be deleted, and suspended so.
        """
        return self._set_lifecycle(user, project_id, Lifecycle.SUSPENDED)

    @operation
    def resume(self, user: str, *, project_id: str | None = None) -> Call[UserProject]:
        """Enable a suspended project again. For the errors see `suspend`."""
        return self._set_lifecycle(user, project_id, Lifecycle.ACTIVE)

    @operation
    def change_tier(
        self,
        user: str,
        tier: str,
        *,
        dry_run: bool = False,
        force: bool = False,
        project_id: str | None = None,
    ) -> Call[TierChange]:
        """Give a user's project another tier, if its use fits.

        The present tier can be given again, to apply settings of it that have changed.

        Args:
            dry_run: only look.
            force: change it also where its use does not fit: Neon then suspends it, or keeps it
                from growing.
            project_id: the stored id: it is read instead of being searched for.

        Raises:
            TierExceeded: it uses more than the tier allows, without ``dry_run`` or ``force``.
            NoProject: the user has none.
            DeletionPending: it is waiting to be deleted.
            SettingsError: the tier belongs to another organization.
        """
        wanted = self.tiers.named(tier)
        project = yield from self.register.usable(user, project_id)
        self._refuse_to_move(project, wanted)
        before = project.tier
        excess = yield from downgrade.checked(
            self.register, user, project, wanted, force=force or dry_run
        )
        if not dry_run:
            label = replace(project.label, tier=tier)
            project = yield from reconcile.change(self.register, project, label)
        return TierChange(project, before, tier, excess, applied=not dry_run)

    @operation
    def usage(self, user: str, *, project_id: str | None = None) -> Call[ProjectUsage]:
        """What a user's project has used of its quota, with the warnings that follow.

        Raises:
            NoProject: the user has none.
        """
        project = yield from self.register.known(user, project_id)
        return (yield from usage.read(self.calls, project))

    @operation
    def delete(
        self, user: str, *, snapshot: bool = True, wait: timedelta = timedelta()
    ) -> Call[Deletion | None]:
        """Delete a user's project, or suspend it until then; None if the user has no project.

        Args:
            snapshot: whether a final snapshot is taken. Neon deletes it with the project, and
                recovers it with the project; see `undelete`.
            wait: how long it waits. `sweep` deletes it then; call that from time to time.

        Raises:
            FleetError: the project may have no more snapshots.
        """
        now = datetime.now(UTC)
        return deletion.delete(self.register, user, snapshot=snapshot, wait=wait, now=now)

    @operation
    def undelete(self, user: str) -> Call[UserProject]:
        """Cancel the deletion of a project that waits for it, or recover a deleted project.

        Neon can recover it for 7 days, with its data and its connection string (OpenAPI document,
        ``recoverProject``).

        Raises:
            NoProject: the user has neither.
        """
        return deletion.undelete(self.register, user)

    def _refuse_to_move(self, project: UserProject, wanted: Tier) -> None:
        if self.register.misplaced(project, wanted.name):
            raise SettingsError(
                f"The tier {wanted.name} belongs to another organization: the project has to move.",
                checked=[f"project {project.project_id} is in {project.org_id}"],
                remedy="neonup_cloud.agents.TierChanges moves it, and so does `neonup fleet tier`.",
            )

    def _set_lifecycle(
        self, user: str, project_id: str | None, lifecycle: Lifecycle
    ) -> Call[UserProject]:
        project = yield from self.register.usable(user, project_id)
        if project.lifecycle is lifecycle:
            return (yield from reconcile.finish(self.register, project))
        label = replace(project.label, lifecycle=lifecycle)
        return (yield from reconcile.change(self.register, project, label))
