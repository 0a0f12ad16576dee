"""Other tiers for users' projects, also where the tiers are in different organizations."""

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
        user: whose; None where names hold hashes.
        project: as it was; None: the user has none.
        error: why not.
    """

    user: str | None
    project: UserProject | None
    error: NeonupError

    def as_dict(self) -> dict[str, Any]:
        """It as plain data, for JSON."""
        project = self.project.as_dict() if self.project else {"project_id": None}
        return project | {"user": self.user, "error": self.error.as_dict()}


@dataclass(frozen=True)
class TierReport:
    """What came of changes for many users.

    Args:
        changes: those that were made, or would be.
        refused: the others.
    """

    changes: tuple[TierChange, ...]
    refused: tuple[RefusedTierChange, ...]

    def as_dict(self) -> dict[str, Any]:
        """It as plain data, for JSON."""
        return {
            "changes": [one.as_dict() for one in self.changes],
            "refused": [one.as_dict() for one in self.refused],
        }


@dataclass(frozen=True)
class _PlannedChange:
    """A change that is to be made.

    Args:
        user: whose.
        found: the project as it is.
        tier: that it is to have.
        excess: what of its use does not fit.
    """

    user: str | None
    found: UserProject
    tier: Tier
    excess: tuple[TierExcess, ...] = ()

    def done(self, project: UserProject, *, applied: bool = True) -> TierChange:
        """What came of it."""
        before = self.found.tier
        return TierChange(project, before, self.tier.name, self.excess, applied=applied)

    def refused(self, error: NeonupError) -> RefusedTierChange:
        """What came of it."""
        return RefusedTierChange(self.user, self.found, error)


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
            TierExceeded: it uses more than the tier allows, and neither is said.
            Forbidden: it has to move, and the key may not move projects; nothing was changed.
            Invalid: Neon does not allow the move; the project has its former tier.
            NoProject: the user has none.
            DeletionPending: it is waiting to be deleted.
        """
        wanted = self._fleet.tiers.named(tier)
        found = yield from self._reached(self._register.usable(user, project_id))
        planned = yield from self._planned(user, found, wanted, force=force or dry_run)
        if dry_run:
            return planned.done(found, applied=False)
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
        oldest = {one.label.key: one for one in reversed(projects)}
        plans, refused = [], []
        for user in dict.fromkeys(users):
            found = oldest.get(self._fleet.naming.key(user))
            try:
                if found is None:
                    raise missing(user)
                plans.append((yield from self._planned(user, found, wanted, force=force)))
            except NeonupError as error:
                refused.append(RefusedTierChange(user, found, error))
        if dry_run:
            changes = tuple(one.done(one.found, applied=False) for one in plans)
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
                    _PlannedChange(one.user, one, self._fleet.tiers[one.tier])
                    for one in projects
                    if one.label.changing and one.tier in self._fleet.tiers
                ]
            )
        )

    def _reached(self, look: Call[T]) -> Call[T]:
        """Look in all organizations, which takes the same key as moving does."""
        try:
            return (yield from look)
        except NotFound:
            yield from moving.check_key(self._neon)
            raise

    def _planned(
        self, user: str, found: UserProject, wanted: Tier, *, force: bool
    ) -> Call[_PlannedChange]:
        """A change, once it is known whether the project's use fits."""
        refuse_deleting(found, user)
        excess = yield from downgrade.checked(self._register, user, found, wanted, force=force)
        return _PlannedChange(user, found, wanted, excess)

    def _carry_out(self, plans: Sequence[_PlannedChange]) -> Call[TierReport]:
        moves: dict[TransferRoute, list[_PlannedChange]] = {}
        staying: list[_PlannedChange] = []
        for one in plans:
            route = self._route(one)
            (staying if route is None else moves.setdefault(route, [])).append(one)
        if moves:
            yield from moving.check_key(self._neon)
        results: list[TierChange | RefusedTierChange] = []
        for one in staying:
            results += [(yield from self._settled(one, one.found))]
        for route, movers in moves.items():
            results += yield from self._moved(route, movers)
        return TierReport(
            tuple(one for one in results if isinstance(one, TierChange)),
            tuple(one for one in results if isinstance(one, RefusedTierChange)),
        )

    def _route(self, planned: _PlannedChange) -> TransferRoute | None:
        """From where to where a project has to move; None: it is where it should be."""
        found, destination = planned.found, planned.tier.org_id or self.api.org_id
        if not self._register.misplaced(found, planned.tier.name):
            return None
        return TransferRoute(str(found.org_id), str(destination))

    def _moved(
        self, route: TransferRoute, movers: Sequence[_PlannedChange]
    ) -> Call[list[TierChange | RefusedTierChange]]:
        results: list[TierChange | RefusedTierChange] = []
        marked: dict[str, tuple[_PlannedChange, UserProject]] = {}
        for one in movers:
            try:
                now = yield from moving.mark(self._register, one.found, one.tier)
            except NeonError as error:
                results.append(one.refused(error))
            else:
                marked[now.project_id] = one, now
        failed = yield from moving.transfer(self._neon, route, list(marked))
        for id_, (one, now) in marked.items():
            moved = id_ not in failed or (yield from moving.is_moved(self._neon, route, id_))
            if moved:
                there = replace(now, org_id=route.destination)
                results.append((yield from self._settled(one, there)))
            else:
                results.append((yield from self._taken_back(one, now, failed[id_])))
        return results

    def _settled(
        self, planned: _PlannedChange, found: UserProject
    ) -> Call[TierChange | RefusedTierChange]:
        """Give a project that is where it should be the tier's settings."""
        label = replace(found.label, tier=planned.tier.name)
        try:
            done = yield from reconcile.change(self._register, found, label)
            if done.label.changing:
                raise FleetError(
                    f"The project {found.project_id} was given another tier at the same time.",
                    remedy="Let one process at a time change a user's project.",
                )
        except NeonupError as error:
            return planned.refused(error)
        return planned.done(done)

    def _taken_back(
        self, planned: _PlannedChange, now: UserProject, error: NeonError
    ) -> Call[RefusedTierChange]:
        """Give a project that has not moved its former tier again, if that was refused for good."""
        before = planned.found.label
        if isinstance(error, _FOR_GOOD) and before.tier != now.tier:
            try:
                yield from reconcile.change(self._register, now, before)
            except NeonupError as second:
                error.checked = (*error.checked, f"and then: {second.message}")
        return planned.refused(error)
