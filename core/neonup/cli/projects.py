"""``projects``: those of one's account, or of the local Neon."""

from __future__ import annotations

from typing import Any

import click

from neonup.cli import options, output, target


@click.group()
def projects() -> None:
    """Neon projects: those of your account, or with --local those of neonup serve.

    The account is the local one, too, where .env points at a database of neonup serve.
    """


_org = click.option("--org", metavar="ID", help="The organization; all of yours if not given.")


@projects.command("list")
@_org
@click.option("--deleted", is_flag=True, help="Deleted ones that can still be recovered.")
@target.account_options
@output.json_option
def list_(org: str | None, deleted: bool, local: bool, **arguments: Any) -> None:
    """Show the projects, newest first."""
    from neonup.providers.account import current

    with target.opened(local=local, **arguments) as to:
        found = list(current.projects(to.neon, org or to.org, recoverable=deleted or None))
    if output.wants_json():
        output.emit(output.plain(found))
        return
    if not found:
        click.echo("No projects.")
        return
    output.grid(
        ("id", "name", "region", "postgres", "created"),
        [
            (one.id, one.name, one.region_id, str(one.pg_version), output.date(one.created_at))
            for one in found
        ],
    )


@projects.command()
@click.argument("name", required=False)
@_org
@click.option("--region", metavar="ID", help="Where, e.g. aws-us-east-2.")
@click.option("--pg-version", type=int, help="Postgres's major version.")
@target.account_options
@output.json_option
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
    if output.wants_json():
        output.emit(output.plain(made))
        return
    click.echo(f"Created the project {made.project.name} ({made.project.id}).")
    click.echo(f"To use it here: neonup adopt --project {made.project.id}")


@projects.command()
@click.argument("project", required=False)
@options.owner_option
@target.yes_option
@target.account_options
@output.json_option
def delete(project: str | None, yes: bool, local: bool, **arguments: Any) -> None:
    """Delete a project, by id or name, with its branches; that of .env if none is given."""
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "deleted")
        found = to.neon.projects.get(to.project(project))
        target.make_sure(f"Delete the project {found.name} ({found.id}) with all its data?", yes)
        to.neon.projects.delete(found.id)
    if output.wants_json():
        output.emit({"deleted": True, "id": found.id, "name": found.name})
        return
    click.echo(f"Deleted the project {found.name} ({found.id}).")
    click.echo(f"For a while it can be brought back: neonup projects recover {found.id}")


@projects.command()
@click.argument("project")
@target.account_options
@output.json_option
def recover(project: str, local: bool, **arguments: Any) -> None:
    """Bring back a deleted project, by id or name."""
    from neonup.providers.account import current

    with target.opened(local=local, **arguments) as to:
        id_ = current.named(to.neon, project, to.org, deleted=True).id
        found = to.neon.projects.recover(id_)
    if output.wants_json():
        output.emit(output.plain(found))
    else:
        click.echo(f"Recovered the project {found.name} ({found.id}).")
