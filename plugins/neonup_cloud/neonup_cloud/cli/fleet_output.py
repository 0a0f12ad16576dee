"""What the commands of ``fleet`` print: JSON, or a few lines. No password is among it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from neonup.plugin import commands
from neonup_cloud.cli.consumption import figures

if TYPE_CHECKING:
    from neonup_cloud.fleets import (
        ConsumptionRow,
        Deletion,
        MigrationReport,
        ProjectUsage,
        SweepReport,
        TierChange,
        UserProject,
    )


def projects(shown: Sequence[UserProject]) -> None:
    """A table of projects."""
    if commands.wants_json():
        commands.emit([project.as_dict() for project in shown])
        return
    if not shown:
        click.echo("No projects.")
        return
    commands.grid(
        ("user", "project", "tier", "lifecycle", "created"),
        [
            (
                project.user,
                project.project_id,
                project.tier,
                _lifecycle(project),
                commands.date(project.created_at),
            )
            for project in shown
        ],
    )


def provisioned(user: str, project: UserProject, url: str | None) -> None:
    """A user's project, and its secrets, if they were asked for: each on a line of its own."""
    if url is None:
        described = f"project {project.project_id} of {user}, tier {project.tier}"
        click.echo(
            f"Created the {described}." if project.created else f"The {described}, already exists.",
            err=project.key is not None,
        )
    for secret in (url, project.key):
        if secret:
            click.echo(secret)


def change(user: str, changed: TierChange) -> None:
    """A change of tier that was made, or would be made."""
    if commands.wants_json():
        commands.emit(changed.as_dict())
        return
    done = "has" if changed.applied else "would have"
    click.echo(f"The project of {user} {done} the tier {changed.after}; before: {changed.before}.")
    for item in changed.excess:
        click.echo(f"  more than the tier allows: {item}")


def usage(usages: Sequence[ProjectUsage], *, single: bool) -> None:
    """What projects have used of their quotas."""
    if commands.wants_json():
        shown = [usage.as_dict() for usage in usages]
        commands.emit(shown[0] if single and shown else shown)
        return
    rows = [
        (
            usage.project.user,
            used.name,
            f"{used.amount:,}",
            f"{used.limit:,}" if used.limit else None,
            f"{used.percent:.0f} %" if used.percent is not None else None,
        )
        for usage in usages
        for used in usage.figures.values()
        if single or used.limit
    ]
    commands.grid(("user", "what", "used", "quota", ""), rows)


def consumed(rows: Iterable[ConsumptionRow], *, csv: bool) -> None:
    """The consumption of projects in each period."""
    if csv:
        from neonup_cloud.fleets import as_csv

        click.echo(as_csv(rows), nl=False)
        return
    plain = [row.as_dict() for row in rows]
    if commands.wants_json():
        commands.emit(plain)
        return
    commands.grid(
        ("user", "project", "from", "compute", "storage", "transfer"),
        [
            (
                row["user"],
                row["project_id"],
                row["start"],
                *figures(row),
            )
            for row in plain
        ],
    )


def migrated(report: MigrationReport) -> None:
    """The result of a migration."""
    if commands.wants_json():
        commands.emit(report.as_dict())
        return
    click.echo(
        f"{len(report.done)} migrated, {len(report.earlier)} were already, "
        f"{len(report.skipped)} are suspended, {len(report.failed)} failed."
    )
    for failure in report.failed:
        click.echo(f"  {_who(failure.project)}: {failure.error}", err=True)


def deleted(user: str, deletion: Deletion | None) -> None:
    """A deletion that was done or scheduled."""
    if commands.wants_json():
        commands.emit(deletion.as_dict() if deletion else {"user": user, "deleted": False})
    elif deletion is None:
        click.echo(f"{user} has no project.")
    elif deletion.deleted:
        click.echo(f"Deleted the project {deletion.project.project_id} of {user}.")
        click.echo(f"Neon can recover it for 7 days: neonup fleet delete --cancel {user}")
    else:
        click.echo(
            f"The project {deletion.project.project_id} of {user} is suspended, and to be deleted "
            f"at {commands.date(deletion.due)}."
        )
        click.echo(f"To keep it: neonup fleet delete --cancel {user}")


def undeleted(user: str, project: UserProject) -> None:
    """A project whose deletion was cancelled, or that was recovered."""
    if commands.wants_json():
        commands.emit(project.as_dict())
    else:
        click.echo(f"The project {project.project_id} of {user} can be used again.")


def swept(sweep: SweepReport) -> None:
    """The result of a sweep."""
    if commands.wants_json():
        commands.emit(sweep.as_dict())
        return
    click.echo(
        f"{len(sweep.deleted)} deleted, {len(sweep.finished)} finished, "
        f"{len(sweep.duplicates)} second projects deleted, {len(sweep.failed)} failed."
    )
    for project, error in sweep.failed:
        click.echo(f"  {_who(project)}: {error.message}", err=True)


def _lifecycle(project: UserProject) -> str:
    if project.label.due:
        return f"to be deleted at {commands.date(project.label.due)}"
    return f"{project.lifecycle}{', changing' if project.label.changing else ''}"


def _who(project: UserProject) -> str:
    return project.user or project.project_id
