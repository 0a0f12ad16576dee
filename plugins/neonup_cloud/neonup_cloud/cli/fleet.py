"""``fleet``: a Neon project for each user, as ``[tool.neonup.fleet]`` declares them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from neonup import NeonupError
from neonup.plugin import commands
from neonup_cloud.cli import fleet_output, target, times
from neonup_cloud.cli.consumption import PERIODS, last_periods

if TYPE_CHECKING:
    from neonup.plugin.http import Sender
    from neonup_cloud.api.answers import Granularity
    from neonup_cloud.fleets import Fleet


@click.group(cls=commands.CommandGroup)
def fleet() -> None:
    """A Neon project for each of your users.

    [tool.neonup.fleet] in pyproject.toml declares the prefix of their names, and the tiers.
    """


@contextmanager
def _opened(arguments: Mapping[str, Any]) -> Iterator[Fleet[Sender]]:
    from neonup_cloud.fleets import declared

    # Users' projects stay where they are, wherever a developer has linked the folder to.
    with target.opened(uses_link=False, **arguments) as to:
        yield declared(to.neon, to.settings, org_id=to.org)


_TIERS = commands.completed_by(lambda settings: settings.tables.get("fleet", {}).get("tiers", {}))
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@fleet.command()
@click.argument("user")
@click.argument("tier", required=False, shell_complete=_TIERS)
@click.option("--url", "show_url", is_flag=True, help="Print the URL, password included.")
@click.option("--direct", is_flag=True, help="With --url: the URL that bypasses the pooler.")
@click.option(
    "--api-key", is_flag=True, help="Print a new API key of the project, in place of the old."
)
@_dry_run
@target.account_options
@commands.json_option
def provision(
    *,
    user: str,
    tier: str | None,
    show_url: bool,
    direct: bool,
    api_key: bool,
    dry_run: bool,
    **arguments: Any,
) -> None:
    """Create a user's project of a tier, unless there is one.

    Where only one tier is declared it need not be named. With --api-key the project gets an API key
    that reaches nothing else, shown this once; one that it got so before is revoked. That takes a
    personal API key of an admin.
    """
    url = None
    with _opened(arguments) as declared_fleet:
        if tier is None and len(declared_fleet.tiers) == 1:
            tier = next(iter(declared_fleet.tiers))
        if tier is None:
            raise NeonupError(
                "The tier of the new project is not given.",
                checked=[f"the tiers: {', '.join(declared_fleet.tiers)}"],
                remedy=f"Name one: neonup fleet provision {shlex.quote(user)} TIER",
            )
        declared_fleet.tiers.named(tier)
        if dry_run:
            project = declared_fleet.find(user)
        else:
            project = declared_fleet.provision(user, tier, key=api_key)
        if show_url and project and not dry_run:
            url = declared_fleet.connection(user, pooled=not direct, project_id=project.project_id)
    if commands.wants_json():
        shown = project.as_dict() if project else {"project_id": None, "user": user, "tier": tier}
        secrets = {"url": url, "key": project.key if project else None}
        commands.emit(shown | {name: secret for name, secret in secrets.items() if secret})
    elif project is None:
        click.echo(f"Would create a project of the tier {tier} for {user}.")
    else:
        fleet_output.provisioned(user, project, url)


@fleet.command("list")
@click.option("--tier", shell_complete=_TIERS, help="Only those of this tier.")
@target.account_options
@commands.json_option
def list_(tier: str | None, **arguments: Any) -> None:
    """Show the users' projects, the oldest first."""
    with _opened(arguments) as declared_fleet:
        projects = [
            project for project in declared_fleet.projects() if tier in (None, project.tier)
        ]
    fleet_output.projects(projects)


@fleet.command()
@click.argument("user")
@click.argument("tier", shell_complete=_TIERS)
@click.option("--force", is_flag=True, help="Even if the project uses more than the tier allows.")
@_dry_run
@target.account_options
@commands.json_option
def tier(*, user: str, tier: str, force: bool, dry_run: bool, **arguments: Any) -> None:
    """Change the tier of a user's project, or apply the same tier again.

    If the tier belongs to another organization, the project moves there, which takes a personal
    API key.
    """
    from neonup_cloud.agents import TierChanges

    with _opened(arguments) as declared_fleet:
        changed = TierChanges(declared_fleet).change(user, tier, dry_run=dry_run, force=force)
    fleet_output.change(user, changed)


@fleet.command()
@click.argument("user", required=False)
@click.option("--warnings", is_flag=True, help="Only projects that have used 80 % of a quota.")
@click.option(
    "--by", type=commands.Choice(sorted(PERIODS)), help="Consumption by period, for bills."
)
@click.option(
    "--last", type=click.IntRange(1, 168), default=7, show_default=True, help="Number of periods."
)
@click.option("--csv", is_flag=True, help="With --by: print CSV.")
@target.account_options
@commands.json_option
def usage(
    *,
    user: str | None,
    warnings: bool,
    by: str | None,
    last: int,
    csv: bool,
    **arguments: Any,
) -> None:
    """Show how much of its quota a user's project, or each project, has used.

    With --by, what they consumed in hours, days or months of UTC.
    """
    with _opened(arguments) as declared_fleet:
        if by is not None:
            start, end = last_periods(by, last)
            rows = declared_fleet.consumption(start, end, granularity=cast("Granularity", by))
            wanted = [row for row in rows if user in (None, row.user)]
            fleet_output.consumed(wanted, csv=csv)
            return
        usages = [declared_fleet.usage(user)] if user is not None else declared_fleet.usages()
    shown = [usage_ for usage_ in usages if usage_.events or not warnings]
    fleet_output.usage(shown, single=user is not None)


@fleet.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--journal", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Record what is done; the same command continues from there.",
)  # fmt: skip
@click.option(
    "--concurrency", type=click.IntRange(1, 100), default=8, show_default=True,
    help="How many databases at once.",
)  # fmt: skip
@_dry_run
@target.account_options
@commands.json_option
def migrate(
    *,
    command: tuple[str, ...],
    journal: Path | None,
    concurrency: int,
    dry_run: bool,
    **arguments: Any,
) -> None:
    """Run a command, like a migration, for each user's database.

    For example: neonup fleet migrate -- alembic upgrade head

    The command finds the URL in DATABASE_URL, DATABASE_URL_DIRECT and the project's own variables,
    and its parts in PGHOST etc. The exit status is 1 if one of them failed.
    """
    from neonup_cloud.fleets import Lifecycle
    from neonup_cloud.fleets import command as work

    with _opened(arguments) as declared_fleet:
        if dry_run:
            wanted = [
                project
                for project in declared_fleet.projects()
                if project.lifecycle is Lifecycle.ACTIVE
            ]
            fleet_output.projects(wanted)
            return
        report = declared_fleet.migrate(
            work(command), concurrency=concurrency, journal=journal, name=" ".join(command)
        )
    fleet_output.migrated(report)
    if report.failed:
        click.get_current_context().exit(1)


@fleet.command()
@click.argument("user", required=False)
@click.option("--wait", metavar="SPAN", help="Suspend it, and delete it after this time, e.g. 30d.")
@click.option("--no-snapshot", is_flag=True, help="Take no final snapshot.")
@click.option("--cancel", is_flag=True, help="Cancel the deletion, or recover a deleted project.")
@click.option("--due", is_flag=True, help="Delete all projects that are due.")
@_dry_run
@commands.yes_option
@target.account_options
@commands.json_option
def delete(
    *,
    user: str | None,
    wait: str | None,
    no_snapshot: bool,
    cancel: bool,
    due: bool,
    dry_run: bool,
    yes: bool,
    **arguments: Any,
) -> None:
    """Delete a user's project, at once or after a time.

    With --due, for a timer: delete all that are due, and finish interrupted changes.
    """
    if due == (user is not None) or (due and cancel):
        raise click.UsageError("Name a user, or pass --due.")
    span = times.span(wait) if wait else timedelta()
    with _opened(arguments) as declared_fleet:
        if user is None:
            _sweep(declared_fleet, dry_run=dry_run)
        elif dry_run:
            project = declared_fleet.find(user)
            fleet_output.projects([project] if project else [])
        elif cancel:
            fleet_output.undeleted(user, declared_fleet.undelete(user))
        else:
            if not span:
                commands.make_sure(f"Delete the project of {user} with all its data?", yes)
            fleet_output.deleted(
                user, declared_fleet.delete(user, snapshot=not no_snapshot, wait=span)
            )


def _sweep(declared_fleet: Fleet[Sender], *, dry_run: bool) -> None:
    if dry_run:
        now = datetime.now(UTC)
        fleet_output.projects(
            [
                project
                for project in declared_fleet.projects()
                if project.label.due and project.label.due <= now
            ]
        )
        return
    from neonup_cloud.agents import TierChanges

    moved = TierChanges(declared_fleet).resume()
    swept = declared_fleet.sweep()
    finished = tuple(change.project for change in moved.changes)
    failed = tuple((refusal.project, refusal.error) for refusal in moved.refused if refusal.project)
    swept = replace(swept, finished=(*finished, *swept.finished), failed=(*failed, *swept.failed))
    fleet_output.swept(swept)
    if swept.failed:
        click.get_current_context().exit(1)
