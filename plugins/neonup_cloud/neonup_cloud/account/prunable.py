"""What ``neonup prune`` offers to delete in accounts: Neon branches of deleted git branches.

Imported only where `neonup_local` asks, whose command that is; ``neonup list`` asks as well, so the
HTTP client is left to `neonup_cloud.account.pruning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neonup_local.servers import Leftover, Servers


class PrunableBranches(Servers):
    """Neon branches that were created from this machine. None of them runs on it."""

    def rows(self) -> list[dict[str, Any]]:
        """Nothing."""
        return []

    def stop(self) -> list[str]:
        """Nothing."""
        return []

    def leftovers(self) -> list[Leftover]:
        """Those whose git branch was deleted."""
        from neonup_cloud.account import pruning

        return pruning.leftovers(self.home)

    def purge(self, leftovers: Sequence[Leftover]) -> list[Leftover]:
        """Delete Neon branches; those stay that somebody has come to use, or that Neon keeps."""
        from neonup_cloud.account import pruning

        return pruning.delete(self.home, leftovers)
