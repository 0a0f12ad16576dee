"""Whether the use of a project fits a smaller tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neonup.plugin.http import Call
from neonup_cloud.api.client import Groups
from neonup_cloud.fleets import usage
from neonup_cloud.fleets.errors import TierExceeded
from neonup_cloud.fleets.register import Register, UserProject
from neonup_cloud.fleets.tiers import Tier


@dataclass(frozen=True)
class TierExcess:
    """A figure of which a project uses more than a tier allows.

    Args:
        name: one of a `Quota`, ``branches`` or ``snapshots``.
        used: how much the project uses now.
        limit: how much the tier allows.
    """

    name: str
    used: int
    limit: int

    def __str__(self) -> str:
        return f"{self.name}: {self.used:,} of {self.limit:,}"


@dataclass(frozen=True)
class TierChange:
    """A change of tier that was made, or would be made.

    Args:
        project: as it is now.
        before: the tier that it had.
        after: the tier that it is to have.
        excess: what of its use the tier does not allow.
        applied: whether the tier was changed.
    """

    project: UserProject
    before: str
    after: str
    excess: tuple[TierExcess, ...]
    applied: bool

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            **self.project.as_dict(),
            "before": self.before,
            "after": self.after,
            "excess": [vars(item) for item in self.excess],
            "applied": self.applied,
        }


def checked(
    register: Register, user: str, project: UserProject, tier: Tier, *, force: bool
) -> Call[tuple[TierExcess, ...]]:
    """Compare a user's project with another tier, and return the figures that exceed it.

    Args:
        force: return them instead of raising.

    Raises:
        TierExceeded: a figure exceeds the tier.
    """
    begun = project.label.changing and project.tier == tier.name  # it was found to fit then
    before = tier if begun else register.tiers.get(project.tier)
    more = yield from _excess(register.neon, project, before, tier)
    if more and not force:
        raise _refused(user, tier, more)
    return more


def _excess(
    neon: Groups[None], project: UserProject, before: Tier | None, after: Tier
) -> Call[tuple[TierExcess, ...]]:
    """The figures that exceed a tier. Limits that grow need no request.

    Args:
        before: the present tier; None if the fleet does not have it any more.
        after: the other tier.
    """
    smaller = _smaller(before, after)
    if not smaller:
        return ()
    now = yield from usage.read(neon, project)
    used = {name: use.amount for name, use in now.figures.items()}
    if "branches" in smaller:
        used["branches"] = len((yield from neon.branches.list(project.project_id)))
    if "snapshots" in smaller:
        snapshots = yield from neon.snapshots.list(project.project_id)
        used["snapshots"] = sum(snapshot.manual is not False for snapshot in snapshots)
    return tuple(
        TierExcess(name, used[name], limit)
        for name, limit in smaller.items()
        if used[name] > limit or (name in usage.QUOTAS and used[name] >= limit)
    )


def _refused(user: str, tier: Tier, excess: tuple[TierExcess, ...]) -> TierExceeded:
    return TierExceeded(
        f"The project of the user {user!r} uses more than the tier {tier.name} allows.",
        checked=[str(item) for item in excess],
        remedy="Free some of it, or change the tier anyway: force=True, or --force.",
    )


def _smaller(before: Tier | None, after: Tier) -> dict[str, int]:
    old = _limits(before) if before else {}
    return {
        name: limit
        for name, limit in _limits(after).items()
        if name not in old or limit < old[name]
    }


def _limits(tier: Tier) -> dict[str, int]:
    limits = {name: limit for name, limit in tier.quota.as_dict().items() if limit}
    for name in ("branches", "snapshots"):
        limit = getattr(tier, name)
        if limit is not None:
            limits[name] = limit
    return limits
