"""The operations of a fleet on the projects of all users."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, overload

from neonup.plugin.http import Call, Sender
from neonup_cloud.api.answers import Granularity
from neonup_cloud.api.awaited import AsyncSender
from neonup_cloud.api.client import Groups
from neonup_cloud.api.groups.consumption import METRICS
from neonup_cloud.api.groups.group import ApiGroup, S, operation
from neonup_cloud.fleets import bulk, consumption, deletion
from neonup_cloud.fleets.bulk import Migration
from neonup_cloud.fleets.consumption import ConsumptionRow
from neonup_cloud.fleets.deletion import SweepReport
from neonup_cloud.fleets.migrate import AsyncWork, MigrationReport, Work
from neonup_cloud.fleets.naming import Naming
from neonup_cloud.fleets.provisioning import Layout
from neonup_cloud.fleets.register import Register, UserProject
from neonup_cloud.fleets.tiers import Tier, Tiers
from neonup_cloud.fleets.usage import ProjectUsage


class FleetOperations(ApiGroup[S], Generic[S]):
    """The operations of a `Fleet` on all users; for the parameters see there."""

    def __init__(
        self,
        neon: Groups[S],
        tiers: Iterable[Tier] | Tiers,
        *,
        prefix: str,
        hashed: bool = False,
        secret: str = "",
        layout: Layout | None = None,
    ):
        super().__init__(neon.api, neon.sender)
        self.tiers = tiers if isinstance(tiers, Tiers) else Tiers(tiers)
        self.naming = Naming(prefix, hashed, secret)
        self.layout = layout or Layout()
        self.calls = Groups(neon.api, None)
        self.register = Register(self.calls, self.naming, self.tiers)

    @operation
    def projects(self) -> Call[list[UserProject]]:
        """The projects of all users, the oldest first."""
        return self.register.all()

    @operation
    def consumption(
        self,
        start: datetime,
        end: datetime,
        *,
        granularity: Granularity = "daily",
        metrics: Sequence[str] = METRICS,
    ) -> Call[list[ConsumptionRow]]:
        """What users' projects consumed; `as_csv` writes it as CSV.

        Neon's spans are those of UTC. For days of another time zone take ``hourly``, which goes
        back 168 hours, and add up. Large fleets take their time: see `consumption.A_MINUTE`.

        Args:
            start: an aware moment.
            end: an aware moment.
            granularity: ``hourly``, ``daily`` or ``monthly``.
            metrics: Neon's names.

        Raises:
            SettingsError: a moment has no time zone.
        """
        return consumption.rows(self.register, start, end, granularity, metrics)

    @operation
    def sweep(self, *, now: datetime | None = None) -> Call[SweepReport]:
        """Delete projects that are due, and finish what killed processes left. Call it every hour.

        Args:
            now: which time it is.
        """
        return deletion.sweep(self.register, now or datetime.now(UTC))

    @overload
    def usages(self: FleetOperations[Sender], *, concurrency: int = ...) -> list[ProjectUsage]: ...
    @overload
    def usages(
        self: FleetOperations[AsyncSender], *, concurrency: int = ...
    ) -> Awaitable[list[ProjectUsage]]: ...

    def usages(self: FleetOperations[Any], *, concurrency: int = 8) -> Any:
        """What the projects of all users have used, the oldest project first; two requests each.

        Args:
            concurrency: how many are read at once.
        """
        return bulk.usages(self.register, self.sender, concurrency)

    @overload
    def migrate(
        self: FleetOperations[Sender],
        work: Work,
        *,
        concurrency: int = ...,
        journal: Path | None = ...,
        name: str = ...,
    ) -> MigrationReport: ...
    @overload
    def migrate(
        self: FleetOperations[AsyncSender],
        work: AsyncWork,
        *,
        concurrency: int = ...,
        journal: Path | None = ...,
        name: str = ...,
    ) -> Awaitable[MigrationReport]: ...

    def migrate(
        self: FleetOperations[Any],
        work: Any,
        *,
        concurrency: int = 8,
        journal: Path | None = None,
        name: str = "migration",
    ) -> Any:
        """Migrate the databases of all users. A failure does not stop the others.

        Args:
            work: migrates one; called in threads, or awaited over an `AsyncNeonClient`. See
                `command` for a program.
            concurrency: how many are migrated at once.
            journal: a file that records what is done, so that an interrupted run is resumed.
            name: of the migration: a journal of another one is refused.

        Raises:
            SettingsError: the journal cannot be used.
        """
        run = Migration(self.register, self.layout, work, concurrency, journal, name)
        if isinstance(self.sender, AsyncSender):
            return run.arun(self.sender)
        return run.run(self.sender)
