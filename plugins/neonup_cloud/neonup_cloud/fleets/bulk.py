"""Operations on the projects of all users, concurrently: in threads, or in tasks of asyncio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from neonup.plugin.http import Call, Sender, drive
from neonup_cloud.api.awaited import AsyncSender, adrive
from neonup_cloud.api.errors import NotFound
from neonup_cloud.fleets import journal as journals
from neonup_cloud.fleets import usage
from neonup_cloud.fleets.concurrency import arun, checked, run
from neonup_cloud.fleets.journal import MigrationJournal
from neonup_cloud.fleets.migrate import FailedMigration, MigrationReport, MigrationTarget, reason
from neonup_cloud.fleets.naming import Lifecycle
from neonup_cloud.fleets.provisioning import Layout
from neonup_cloud.fleets.register import Register, UserProject
from neonup_cloud.fleets.usage import ProjectUsage

T = TypeVar("T")


def usages(register: Register, sender: Any, concurrency: int) -> Any:
    """The usage of all users' projects; see `Fleet.usages`."""
    checked(concurrency)

    def read_usage(project: UserProject) -> Call[ProjectUsage | None]:
        try:
            return (yield from usage.read(register.neon, project))
        except NotFound:
            return None  # deleted meanwhile

    if isinstance(sender, AsyncSender):
        return _ausages(register, sender, read_usage, concurrency)
    projects = drive(register.all(), sender)
    asked = run(
        projects,
        lambda project: drive(read_usage(project), sender),
        concurrency,
        what="Asking for the use of projects",
    )
    return _known(asked)


async def _ausages(
    register: Register,
    sender: AsyncSender,
    read_usage: Callable[[UserProject], Call[ProjectUsage | None]],
    concurrency: int,
) -> list[ProjectUsage]:
    projects = await adrive(register.all(), sender)
    return _known(
        await arun(projects, lambda project: adrive(read_usage(project), sender), concurrency)
    )


def _known(results: Iterable[T | None]) -> list[T]:
    return [result for result in results if result is not None]


@dataclass(frozen=True)
class Migration:
    """One migration of all projects; for its parameters see `Fleet.migrate`."""

    register: Register
    layout: Layout
    work: Callable[[MigrationTarget], Any]
    concurrency: int
    journal: Path | None
    name: str

    def run(self, sender: Sender) -> MigrationReport:
        """Run the migration in threads."""
        checked(self.concurrency)
        with journals.opened(self.journal, self.name) as journal:
            report = self._planned(drive(self.register.all(), sender), journal)

            def migrate(project: UserProject) -> FailedMigration | None:
                try:
                    self.work(MigrationTarget(project, drive(self._url(project), sender)))
                except Exception as error:
                    return self._failed(journal, project, error)
                journal.write(project.project_id, None)
                return None

            return _with_failures(
                report, run(report.done, migrate, self.concurrency, what="Migrating databases")
            )

    async def arun(self, sender: AsyncSender) -> MigrationReport:
        """Run the migration in tasks of the event loop."""
        checked(self.concurrency)
        with journals.opened(self.journal, self.name) as journal:
            report = self._planned(await adrive(self.register.all(), sender), journal)

            async def migrate(project: UserProject) -> FailedMigration | None:
                try:
                    work: Awaitable[object] = self.work(
                        MigrationTarget(project, await adrive(self._url(project), sender))
                    )
                    await work
                except Exception as error:
                    return self._failed(journal, project, error)
                journal.write(project.project_id, None)
                return None

            return _with_failures(report, await arun(report.done, migrate, self.concurrency))

    def _planned(self, projects: list[UserProject], journal: MigrationJournal) -> MigrationReport:
        """A report in which all projects that are to be migrated are done."""
        earlier = [project for project in projects if project.project_id in journal.done]
        left = [project for project in projects if project.project_id not in journal.done]
        usable = [project for project in left if project.lifecycle is Lifecycle.ACTIVE]
        skipped = [project for project in left if project.lifecycle is not Lifecycle.ACTIVE]
        return MigrationReport(tuple(usable), tuple(earlier), tuple(skipped), ())

    def _url(self, project: UserProject) -> Call[str]:
        return self.register.neon.projects.connection_uri(
            project.project_id,
            database_name=self.layout.database,
            role_name=self.layout.role,
            pooled=False,
        )

    def _failed(
        self, journal: MigrationJournal, project: UserProject, error: Exception
    ) -> FailedMigration:
        failure = FailedMigration(project, reason(error))
        journal.write(project.project_id, failure.error)
        return failure


def _with_failures(
    report: MigrationReport, failed: list[FailedMigration | None]
) -> MigrationReport:
    """The report with the projects that failed moved from ``done`` to ``failed``."""
    done = [project for project, why in zip(report.done, failed, strict=True) if why is None]
    return replace(report, done=tuple(done), failed=tuple(_known(failed)))
