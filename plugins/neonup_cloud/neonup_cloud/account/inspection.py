"""The state of a database in an account, as Neon tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neonup import Database, Inspection, State
from neonup_cloud import NeonClient
from neonup_cloud.account import location as locations
from neonup_cloud.account.claim_links import ClaimLinks
from neonup_cloud.api.errors import NotFound

if TYPE_CHECKING:
    from neonup_cloud.api.claims import Claim


def inspect(
    neon: NeonClient, links: ClaimLinks, database: Database, state: State, git_branch: str
) -> Inspection:
    """Ask Neon for the state of a project, or a branch.

    Args:
        links: the claim links of this machine.
        state: the state unless it was claimed or cannot be reached.
        git_branch: whose data it has; empty: none is to be shown.

    Raises:
        NeonError: Neon refused, or did not answer.
    """
    location = locations.parse(database.id)
    claim = links.get(location)
    try:
        location = locations.now(neon, location, database.url)
        project = neon.projects.get(location.project)
        branch = neon.branches.get(location.project, location.branch) if location.branch else None
    except NotFound:
        return _out_of_reach(neon, database, claim)
    detail = {
        "project": f"{project.name} in {project.region_id}, Postgres {project.pg_version}",
        "of": project.org_id or "",
        "branch": branch.name if branch else "",
        "git branch": git_branch,
    }
    if claim is not None:
        so_far = neon.claims.state(claim)
        detail["claim"] = _claim_detail(so_far, claim)
        state = State.CLAIMED if so_far == "claimed" else state
    return Inspection(state, database, {label: text for label, text in detail.items() if text})


def _out_of_reach(neon: NeonClient, database: Database, claim: Claim | None) -> Inspection:
    """What became of a project that the key does not reach."""
    if claim is not None and neon.claims.state(claim) == "claimed":
        claimed = {"claim": "claimed: the project is its new owner's; its URL stays valid"}
        return Inspection(State.CLAIMED, database.with_(claim_url=None), claimed)
    known = {
        "looked for": f"{database.id}, which this key does not reach, or which is deleted",
        "next": "neonup adopt with the key of the account that it is in; if it is deleted, "
        "`neonup --force` creates a new one",
    }
    return Inspection(State.MISSING, database, known)


def _claim_detail(state: str, claim: Claim) -> str:
    if state == "pending":
        return f"pending: its link is good until {claim.expires_at:%d %b %Y %H:%M} UTC"
    if state == "expired":
        return "expired: `neonup claim` makes a new link"
    return f"{state}"
