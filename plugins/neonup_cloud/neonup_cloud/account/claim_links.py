"""The claim links of projects in one's account.

Their lifetime is not in ``.env``, and Neon does not tell it, so neonup's home has it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from neonup.plugin.project import StateStore
from neonup_cloud.account.location import DatabaseLocation
from neonup_cloud.options import AccountOptions

if TYPE_CHECKING:
    from neonup_cloud import NeonClient
    from neonup_cloud.api.claims import Claim


class ClaimLinks:
    """The claim links that this machine has asked for.

    Args:
        store: of the provider ``account``.
    """

    def __init__(self, store: StateStore):
        self._store = store

    def offer(self, neon: NeonClient, location: DatabaseLocation, wanted: AccountOptions) -> Claim:
        """The project's claim; a new one if the recorded one has expired.

        Raises:
            NeonError: Neon refused, or did not answer.
        """
        from neonup_cloud.api.claims import ClaimState

        claim = self.get(location)
        state = neon.claims.state(claim) if claim is not None else ClaimState.EXPIRED
        if claim is not None and state is not ClaimState.EXPIRED:
            return claim
        claim = neon.claims.create(
            location.project, ttl_seconds=wanted.claim_seconds, redirect=wanted.claim_redirect
        )
        self._store.write(
            _name(location),
            {
                "project_id": claim.project_id,
                "request_id": claim.request_id,
                "link": claim.link,
                "expires_at": claim.expires_at.isoformat(),
                "org_id": claim.org_id,
            },
        )
        return claim

    def get(self, location: DatabaseLocation) -> Claim | None:
        """The recorded claim of a project; None: there is none, as for a branch of one."""
        record: dict[str, Any] | None = self._store.read(_name(location))
        if record is None or location.branch:
            return None
        from neonup_cloud.api.claims import Claim

        try:
            return Claim(**record | {"expires_at": datetime.fromisoformat(record["expires_at"])})
        except (TypeError, ValueError, KeyError):
            return None

    def forget(self, location: DatabaseLocation) -> None:
        """Forget the claim of a project that was deleted."""
        self._store.forget(_name(location))


def _name(location: DatabaseLocation) -> str:
    return f"claim-{location.project}"
