"""``projects``: the projects of an account."""

from __future__ import annotations

import click

from neonup.cli import output
from neonup.cli.neon import reach


@click.group()
def projects() -> None:
    """The projects of your Neon account."""


@projects.command("list")
@reach.org_option
@click.option("--search", metavar="TEXT", help="Only those whose name or id contains this.")
@click.option("--deleted", is_flag=True, help="Deleted ones that can still be recovered.")
@output.json_option
def list_(org: str | None, search: str | None, deleted: bool) -> None:
    """List the projects, newest first."""
    with reach.neon() as neon:
        found = list(
            neon.projects.list(org_id=org, search=search, recoverable=True if deleted else None)
        )
    if output.wants_json():
        output.emit(reach.plain(found))
        return
    output.rows(
        ("id", "name", "region", "postgres", "created"),
        ((p.id, p.name, p.region_id, p.pg_version, reach.shown(p.created_at)) for p in found),
    )


@projects.command()
@click.argument("name", required=False)
@reach.org_option
@click.option("--region", metavar="ID", help="Where, e.g. aws-us-east-2.")
@click.option("--pg-version", type=int, help="Postgres's major version.")
@output.json_option
def create(name: str | None, org: str | None, region: str | None, pg_version: int | None) -> None:
    """Create a project, and print its connection URL."""
    with reach.neon() as neon:
        made = neon.projects.create(name=name, org_id=org, region_id=region, pg_version=pg_version)
        reach.finish(neon, made.operations, "creating the project")
    if output.wants_json():
        output.emit(reach.plain(made))
        return
    output.table(
        {
            "project": made.project.id,
            "name": made.project.name,
            "branch": made.branch.name,
            "url": next((one.connection_uri for one in made.connection_uris), None),
        }
    )


@projects.command()
@click.argument("project")
@reach.yes_option
@output.json_option
def delete(project: str, yes: bool) -> None:
    """Delete a project with its data; Neon can recover it for a while."""
    with reach.neon() as neon:
        found = neon.projects.get(project)
        output.make_sure(f"Delete the project {found.name} ({found.id}) and its data?", yes)
        neon.projects.delete(found.id)
    if output.wants_json():
        output.emit({"deleted": True, "id": found.id})
    else:
        click.echo(f"Deleted {found.name} ({found.id}). `neonup projects recover` brings it back.")


@projects.command()
@click.argument("project")
@output.json_option
def recover(project: str) -> None:
    """Bring a deleted project back."""
    with reach.neon() as neon:
        found = neon.projects.recover(project)
    if output.wants_json():
        output.emit(reach.plain(found))
    else:
        click.echo(f"Recovered {found.name} ({found.id}).")
