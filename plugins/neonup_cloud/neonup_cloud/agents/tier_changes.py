"""Changes of tier, also between tiers in different organizations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from neonup import NeonupError
from neonup.plugin.http import Call
from neonup_cloud.agents import moving
from neonup_cloud.agents.moving import TransferRoute
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import Conflict, Forbidden, Invalid, NeonError, NotFound
from neonup_cloud.api.groups.group import ApiGroup, S, operation
from neonup_cloud.fleets import Fleet, Tier, UserProject, downgrade, reconcile
from neonup_cloud.fleets.downgrade import TierChange, TierExcess
from neonup_cloud.fleets.errors import FleetError
from neonup_cloud.fleets.register import missing, refuse_deleting

T = TypeVar("T")
_FOR_GOOD = (Conflict, Forbidden, Invalid, NotFound)
"""Refusals of a transfer that asking again does not change."""


@dataclass(frozen=True)
class RefusedTierChange:
    """A change that was not made.

    Args:
        user: the user; None if names hold hashes.
        project: the unchanged project; None if the user has none.
        error: why the change was not made.
    """

    user: str | None
    project: UserProject | None
    error: NeonupError

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        project = self.project.as_dict() if self.project else {"project_id": None}
        return project | {"user": self.user, "error": self.error.as_dict()}


@dataclass(frozen=True)
class TierReport:
    """The result of changes for many users.

    Args:
        changes: those that were made, or would be.
        refused: the others.
    """

    changes: tuple[TierChange, ...]
    refused: tuple[RefusedTierChange, ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "changes": [change.as_dict() for change in self.changes],
            "refused": [refusal.as_dict() for refusal in self.refused],
        }


@dataclass(frozen=True)
class _PlannedChange:
    """A change that is to be made.

    Args:
        user: the user; None if names hold hashes.
        project: the project as it is.
        tier: the new tier.
        excess: the figures that exceed the new tier.
    """

    user: str | None
    project: UserProject
    tier: Tier
    excess: tuple[TierExcess, ...] = ()

    def done(self, project: UserProject, *, applied: bool = True) -> TierChange:
        before = self.project.tier
        return TierChange(project, before, self.tier.name, self.excess, applied=applied)

    def refused(self, error: NeonupError) -> RefusedTierChange:
        return RefusedTierChange(self.user, self.project, error)


class TierChanges(ApiGroup[S], Generic[S]):
    """Upgrades and downgrades of a fleet's projects.

    Where the new tier is of another organization, the project moves there. Its id, its data, and
    its connection string stay. All calls can be repeated: after an error or a crash the same call,
    or `resume`, ends in the state asked for.

    Args:
        fleet: its tiers say which organizations they are of.
    """

    def __init__(self, fleet: Fleet[S]):
        super().__init__(fleet.api, fleet.sender)
        self._fleet = fleet
        self._register = fleet.register
        self._neon: Groups[None] = fleet.calls

    @operation
    def change(
        self,
        user: str,
        tier: str,
        *,
        dry_run: bool = False,
        force: bool = False,
        project_id: str | None = None,
    ) -> Call[TierChange]:
        """Give a user's project another tier; for the parameters see `Fleet.change_tier`.

        Raises:
            TierExceeded: it uses more than the tier allows, without ``dry_run`` or ``force``.
            Forbidden: it has to move, and the key may not move projects; nothing was changed.
            Invalid: Neon does not allow the move; the project has its former tier.
            NoProject: the user has none.
            DeletionPending: it is waiting to be deleted.
        """
        wanted = self._fleet.tiers.named(tier)
        project = yield from self._reached(self._register.usable(user, project_id))
        planned = yield from self._planned(user, project, wanted, force=force or dry_run)
        if dry_run:
            return planned.done(project, applied=False)
        report = yield from self._carry_out([planned])
        for refusal in report.refused:
            raise refusal.error
        return report.changes[0]

    @operation
    def change_all(
        self, users: Iterable[str], tier: str, *, dry_run: bool = False, force: bool = False
    ) -> Call[TierReport]:
        """Give the projects of many users another tier. One that fails does not stop the others.

        Args:
            users: their keys.
            tier: the name of the tier.
            dry_run: only look.
            force: as of `Fleet.change_tier`.

        Raises:
            Forbidden: some have to move, and the key may not move projects; nothing was changed.
        """
        wanted = self._fleet.tiers.named(tier)
        projects = yield from self._reached(self._register.all())
        oldest = {owned.label.key: owned for owned in reversed(projects)}
        plans, refused = [], []
        for user in dict.fromkeys(users):
            project = oldest.get(self._fleet.naming.key(user))
            try:
                if project is None:
                    raise missing(user)
                plans.append((yield from self._planned(user, project, wanted, force=force)))
            except NeonupError as error:
                refused.append(RefusedTierChange(user, project, error))
        if dry_run:
            changes = tuple(plan.done(plan.project, applied=False) for plan in plans)
            return TierReport(changes, tuple(refused))
        report = yield from self._carry_out(plans)
        return TierReport(report.changes, (*refused, *report.refused))

    @operation
    def resume(self) -> Call[TierReport]:
        """Finish the changes of all projects that a killed process has left half-done."""
        projects = yield from self._reached(self._register.all())
        return (
            yield from self._carry_out(
                [
                    _PlannedChange(project.user, project, self._fleet.tiers[project.tier])
                    for project in projects
                    if project.label.changing and project.tier in self._fleet.tiers
                ]
            )
        )

    def _reached(self, look: Call[T]) -> Call[T]:
        """Explain a key that does not reach all organizations: moving takes the same key."""
        try:
            return (yield from look)
        except NotFound:
            yield from moving.check_key(self._neon)
            raise

    def _planned(
        self, user: str, project: UserProject, wanted: Tier, *, force: bool
    ) -> Call[_PlannedChange]:
        """Check whether the project may change, and whether its use fits."""
        refuse_deleting(project, user)
        excess = yield from downgrade.checked(self._register, user, project, wanted, force=force)
        return _PlannedChange(user, project, wanted, excess)

    def _carry_out(self, plans: Sequence[_PlannedChange]) -> Call[TierReport]:
        moves: dict[TransferRoute, list[_PlannedChange]] = {}
        staying: list[_PlannedChange] = []
        for plan in plans:
            route = self._route(plan)
            (staying if route is None else moves.setdefault(route, [])).append(plan)
        if moves:
            yield from moving.check_key(self._neon)
        results: list[TierChange | RefusedTierChange] = []
        for plan in staying:
            results += [(yield from self._settled(plan, plan.project))]
        for route, movers in moves.items():
            results += yield from self._moved(route, movers)
        return TierReport(
            tuple(result for result in results if isinstance(result, TierChange)),
            tuple(result for result in results if isinstance(result, RefusedTierChange)),
        )

    def _route(self, planned: _PlannedChange) -> TransferRoute | None:
        """The organizations between which a project has to move; None if it does not have to."""
        project, destination = planned.project, planned.tier.org_id or self.api.org_id
        if not self._register.misplaced(project, planned.tier.name):
            return None
        return TransferRoute(str(project.org_id), str(destination))

    def _moved(
        self, route: TransferRoute, movers: Sequence[_PlannedChange]
    ) -> Call[list[TierChange | RefusedTierChange]]:
        results: list[TierChange | RefusedTierChange] = []
        marked: dict[str, tuple[_PlannedChange, UserProject]] = {}
        for plan in movers:
            try:
                now = yield from moving.mark(self._register, plan.project, plan.tier)
            except NeonError as error:
                results.append(plan.refused(error))
            else:
                marked[now.project_id] = plan, now
        failed = yield from moving.transfer(self._neon, route, list(marked))
        for id_, (plan, now) in marked.items():
            moved = id_ not in failed or (yield from moving.is_moved(self._neon, route, id_))
            if moved:
                moved_project = replace(now, org_id=route.destination)
                results.append((yield from self._settled(plan, moved_project)))
            else:
                results.append((yield from self._taken_back(plan, now, failed[id_])))
        return results

    def _settled(
        self, planned: _PlannedChange, project: UserProject
    ) -> Call[TierChange | RefusedTierChange]:
        """Apply the tier's settings to a project that is in the right organization."""
        label = replace(project.label, tier=planned.tier.name)
        try:
            done = yield from reconcile.change(self._register, project, label)
            if done.label.changing:
                raise FleetError(
                    f"The project {project.project_id} was given another tier at the same time.",
                    remedy="Change a user's project from one process at a time.",
                )
        except NeonupError as error:
            return planned.refused(error)
        return planned.done(done)

    def _taken_back(
        self, planned: _PlannedChange, now: UserProject, error: NeonError
    ) -> Call[RefusedTierChange]:
        """Give a project its former tier again, if Neon refused the move for good."""
        before = planned.project.label
        if isinstance(error, _FOR_GOOD) and before.tier != now.tier:
            try:
                yield from reconcile.change(self._register, now, before)
            except NeonupError as second:
                error.checked = (*error.checked, f"and then: {second.message}")
        return planned.refused(error)
