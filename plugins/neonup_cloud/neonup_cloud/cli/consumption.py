"""What the commands share that show consumption: the periods, and figures for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from neonup.plugin import commands

PERIODS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "monthly": timedelta(days=31)}


def last_periods(granularity: str, number: int) -> tuple[datetime, datetime]:
    """The start of the first and the end of the last of so many periods up to now, in UTC."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return now - PERIODS[granularity] * (number - 1), now + timedelta(hours=1)


def figures(amounts: Mapping[str, float]) -> tuple[str, str, str | None]:
    """Compute, storage and transfer for a table.

    Args:
        amounts: by Neon's names of metrics.
    """
    storage = amounts.get("root_branch_bytes_month", 0) + amounts.get("child_branch_bytes_month", 0)
    return (
        f"{amounts.get('compute_unit_seconds', 0) / 3600:.2f} CU h",
        f"{commands.size(storage)} mo",
        commands.size(amounts.get("public_network_transfer_bytes", 0)),
    )
