"""What branches have consumed: one row a branch and hour, in the store's file.

Rows are added to while something runs, and never otherwise: between two rows a branch's size is
that of the earlier one. Hours become days after a week, and days months after sixty days. The sums
of months are kept beside them, so that a list of projects needs no more than a row of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta

from neonup_emulator.neon.state.store import Store

HOURLY = timedelta(hours=168)
DAILY = timedelta(days=60)
"""How long hours and days are kept apart, as Neon's document says of `granularity`."""

_ADDED = ", ".join(
    f"{name} = {name} + excluded.{name}" for name in ("active", "compute", "cpu", "written", "sent")
)
_SUMS = "sum(active), sum(compute), sum(cpu), sum(written), sum(sent)"


@dataclass
class Tally:
    """What was consumed.

    Args:
        active: seconds that servers ran.
        compute: those times their size in compute units.
        cpu: seconds of the processor.
        written: bytes of the write-ahead log.
        sent: bytes to clients.
    """

    active: float = 0.0
    compute: float = 0.0
    cpu: float = 0.0
    written: int = 0
    sent: int = 0

    def add(self, other: Tally) -> None:
        """Add another one to it."""
        for counter in fields(self):
            setattr(self, counter.name, getattr(self, counter.name) + getattr(other, counter.name))


Tallies = dict[str, dict[str, Tally]]
"""By project and branch."""
Sizes = dict[str, dict[str, int]]
"""Bytes, by project and branch."""


@dataclass(frozen=True)
class HourlyConsumption:
    """What a branch consumed in the hour that begins at `at`, or the day or month.

    Args:
        at: seconds since 1970.
        size: bytes of its databases at the end of it; None: unknown.
    """

    branch_id: str
    project_id: str
    at: int
    tally: Tally
    size: int | None


class ConsumptionStore:
    """The rows of one store."""

    def __init__(self, store: Store):
        self._store = store

    def add(self, rows: Iterable[HourlyConsumption], logs: dict[str, int]) -> None:
        """Add to what is there.

        Args:
            logs: bytes that the servers of clusters have counted of their log.

        Raises:
            ProviderError: it cannot be written.
        """
        rows = list(rows)
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO Consumption VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
                f"ON CONFLICT (branch_id, at) DO UPDATE SET {_ADDED}, "
                "size = coalesce(excluded.size, size)",
                *(
                    (row.branch_id, row.at, row.project_id, *astuple(row.tally), row.size)
                    for row in rows
                ),
            )
            self._store.execute(
                "INSERT INTO ConsumptionMonth VALUES (?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
                f"ON CONFLICT (branch_id, month) DO UPDATE SET {_ADDED}",
                *(
                    (row.branch_id, _month(row.at), row.project_id, *astuple(row.tally))
                    for row in rows
                ),
            )
            self._store.execute(
                "INSERT OR REPLACE INTO BranchSize VALUES (?, ?, ?)",
                *(
                    (row.branch_id, row.project_id, row.size)
                    for row in rows
                    if row.size is not None
                ),
            )
            self._store.execute("INSERT OR REPLACE INTO WrittenLog VALUES (?, ?)", *logs.items())

    def written_log(self, cluster_id: str) -> int | None:
        """Bytes that a cluster's server had counted of its log when it was last looked at."""
        rows = self._store.select(
            "SELECT bytes FROM WrittenLog WHERE cluster_id = ?", (cluster_id,)
        )
        return int(rows[0][0]) if rows else None

    def size(self, branch_id: str) -> int:
        """Bytes of a branch's databases when its server was last looked at; 0: unknown."""
        rows = self._store.select("SELECT size FROM BranchSize WHERE branch_id = ?", (branch_id,))
        return int(rows[0][0]) if rows else 0

    def sizes(self, project_ids: Sequence[str]) -> Sizes:
        """The known sizes of the branches that projects have, by project and branch."""
        sizes: Sizes = {}
        for project_id, branch_id, size in self._store.select(
            "SELECT s.project_id, s.branch_id, s.size FROM BranchSize s "  # noqa: S608
            "JOIN Branch ON Branch.id = s.branch_id "
            f"WHERE s.project_id IN ({_marks(project_ids)})",
            project_ids,
        ):
            sizes.setdefault(project_id, {})[branch_id] = int(size)
        return sizes

    def totals(self, month: datetime, project_ids: Sequence[str]) -> Tallies:
        """What was consumed in a month, by project and branch, deleted ones as well.

        Args:
            month: its begin.
        """
        totals: Tallies = {}
        for project_id, branch_id, *sums in self._store.select(
            "SELECT project_id, branch_id, active, compute, cpu, written, sent "  # noqa: S608
            f"FROM ConsumptionMonth WHERE project_id IN ({_marks(project_ids)}) AND month = ?",
            (*project_ids, int(month.timestamp())),
        ):
            totals.setdefault(project_id, {})[branch_id] = Tally(*sums)
        return totals

    def rows(self, project_id: str) -> list[HourlyConsumption]:
        """All rows of a project, oldest first."""
        return [
            HourlyConsumption(branch_id, project_id, at, Tally(*sums), size)
            for branch_id, at, *sums, size in self._store.select(
                "SELECT branch_id, at, active, compute, cpu, written, sent, size "
                "FROM Consumption WHERE project_id = ? ORDER BY at",
                (project_id,),
            )
        ]

    def fold(self, now: datetime) -> None:
        """Put hours together that are older than a week, and days that are older than sixty."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        with self._store.transaction():
            self._fold("start of day", int((day - HOURLY).timestamp()))
            month = (day - DAILY).replace(day=1)
            self._fold("start of month", int(month.timestamp()))
            self._store.execute(
                "DELETE FROM WrittenLog WHERE cluster_id NOT IN (SELECT id FROM Cluster)", ()
            )

    def _fold(self, word: str, before: int) -> None:
        at = f"CAST(strftime('%s', at, 'unixepoch', '{word}') AS INTEGER)"
        folded = self._store.select(
            # SQLite takes the other columns from the row that has the maximum.
            f"SELECT branch_id, {at} AS begin, project_id, {_SUMS}, size, max(at) "  # noqa: S608
            "FROM Consumption WHERE at < ? GROUP BY branch_id, begin HAVING count(*) > 1 "
            "OR min(at) <> begin",
            (before,),
        )
        for row in folded:
            self._store.execute(
                f"DELETE FROM Consumption WHERE branch_id = ? AND at < ? AND {at} = ?",  # noqa: S608
                (row[0], before, row[1]),
            )
        self._store.execute(
            "INSERT INTO Consumption VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(row[:9] for row in folded),
        )

    def forget(self, project_id: str) -> None:
        """Remove what is known of a project."""
        with self._store.transaction():
            for table in ("Consumption", "ConsumptionMonth", "BranchSize"):
                self._store.execute(
                    f"DELETE FROM {table} WHERE project_id = ?",  # noqa: S608
                    (project_id,),
                )


def _month(at: int) -> int:
    moment = datetime.fromtimestamp(at, UTC)
    return int(moment.replace(day=1, hour=0, minute=0, second=0).timestamp())


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
