"""``projects``: those of one's account, or of the local Neon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neonup.plugin import commands
from neonup_cloud.cli import deletion, target

if TYPE_CHECKING:
    from neonup_cloud.api.answers import Operation


@click.group(cls=commands.CommandGroup)
def projects() -> None:
    """Neon projects: those of your account, or with --local those of neonup serve.

    The account is the local one, too, where .env points at a database of neonup serve.
    """


_org = click.option("--org", metavar="ID", help="The organization; all of yours if not given.")


@projects.command("list")
@_org
@click.option("--deleted", is_flag=True, help="Deleted projects that can still be recovered.")
@target.account_options
@commands.json_option
def list_(org: str | None, deleted: bool, local: bool, **arguments: Any) -> None:
    """Show the projects, newest first."""
    from neonup_cloud.account import current

    with target.opened(local=local, **arguments) as to:
        listed = list(current.projects(to.neon, org or to.org, recoverable=deleted or None))
    if commands.wants_json():
        commands.emit(target.plain(listed))
        return
    if not listed:
        click.echo("No projects.")
        return
    commands.grid(
        ("id", "name", "region", "postgres", "created"),
        [
            (
                project.id,
                project.name,
                project.region_id,
                str(project.pg_version),
                commands.date(project.created_at),
            )
            for project in listed
        ],
    )


@projects.command()
@click.argument("name", required=False)
@_org
@click.option("--region", metavar="ID", help="Where, e.g. aws-us-east-2.")
@click.option("--pg-version", type=int, help="Postgres's major version.")
@target.account_options
@commands.json_option
def create(
    *,
    name: str | None,
    org: str | None,
    region: str | None,
    pg_version: int | None,
    local: bool,
    **arguments: Any,
) -> None:
    """Create a project; .env stays as it is."""
    with target.opened(local=local, **arguments) as to:
        made = to.neon.projects.create(
            name=name, org_id=org or to.org, region_id=region, pg_version=pg_version
        )
        to.settle(made.operations, "Neon prepares the project")
    if commands.wants_json():
        commands.emit(target.plain(made))
        return
    click.echo(f"Created the project {made.project.name} ({made.project.id}).")
    click.echo(f"To use it here: neonup adopt --project {made.project.id}")


@projects.command()
@click.argument("project", required=False)
@commands.owner_option
@commands.yes_option
@target.account_options
@commands.json_option
def delete(project: str | None, yes: bool, local: bool, **arguments: Any) -> None:
    """Delete a project, by id or name, with its branches; that of .env if none is given."""
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "deleted")
        item = to.neon.projects.get(to.project(project))

        def request() -> list[Operation]:
            to.neon.projects.delete(item.id)
            return []

        deletion.delete(to, "project", item, request, loses=" with all its data", yes=yes)
    if not commands.wants_json():
        click.echo(f"For a while it can be brought back: neonup projects recover {item.id}")


@projects.command()
@click.argument("project")
@target.account_options
@commands.json_option
def recover(project: str, local: bool, **arguments: Any) -> None:
    """Recover a deleted project, by id or name."""
    from neonup_cloud.account import current

    with target.opened(local=local, **arguments) as to:
        id_ = current.named(to.neon, project, to.org, deleted=True).id
        recovered = to.neon.projects.recover(id_)
    if commands.wants_json():
        commands.emit(target.plain(recovered))
    else:
        click.echo(f"Recovered the project {recovered.name} ({recovered.id}).")
