"""``snapshots``: kept copies of a project's root branches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from neonup.cli import moments, options, output, target
from neonup.cli.moments import Moment


@click.group()
def snapshots() -> None:
    """Snapshots of a Neon project: the one that .env points at, unless --project names another."""


@snapshots.command("list")
@target.project_options
@output.json_option
def list_(project: str | None, local: bool, **arguments: Any) -> None:
    """Show the project's snapshots."""
    with target.opened(local=local, **arguments) as to:
        found = list(to.neon.snapshots.list(to.project(project)))
    if output.wants_json():
        output.emit(output.plain(found))
        return
    if not found:
        click.echo("No snapshots.")
        return
    output.grid(
        ("id", "name", "branch", "size", "created", "expires"),
        [
            (
                one.id,
                one.name,
                one.source_branch_id,
                output.size(one.full_size),
                output.date(one.created_at),
                output.date(one.expires_at),
            )
            for one in found
        ],
    )


@snapshots.command()
@click.argument("name", required=False)
@click.option("--branch", metavar="BRANCH", help="A root branch; the default one if not given.")
@click.option(
    "--at", type=moments.at, metavar="WHEN",
    help="As it was at an ISO time, '5m ago', or an LSN; within the project's history.",
)  # fmt: skip
@click.option(
    "--expires", type=moments.expiry, metavar="WHEN",
    help="When Neon deletes it: an ISO time, or 7d; never if not given.",
)  # fmt: skip
@target.project_options
@output.json_option
def create(
    *,
    name: str | None,
    branch: str | None,
    at: Moment | None,
    expires: datetime | None,
    project: str | None,
    local: bool,
    **arguments: Any,
) -> None:
    """Keep a branch as it is now, or as it was."""
    at = at or Moment()
    with target.opened(local=local, **arguments) as to:
        project_id = to.project(project)
        made = to.neon.snapshots.create(
            project_id,
            to.branch(project_id, branch).id,
            name=name,
            timestamp=at.time,
            lsn=at.lsn,
            expires_at=expires,
        )
        to.settle(made.operations, "Neon takes the snapshot")
    if output.wants_json():
        output.emit(output.plain(made))
    else:
        click.echo(f"Created the snapshot {made.snapshot.name} ({made.snapshot.id}).")


@snapshots.command()
@click.argument("snapshot")
@options.owner_option
@target.yes_option
@target.project_options
@output.json_option
def delete(snapshot: str, yes: bool, project: str | None, local: bool, **arguments: Any) -> None:
    """Delete a snapshot, by id or name; branches that were restored from it stay."""
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "deleted")
        project_id = to.project(project)
        found = to.snapshot(project_id, snapshot)
        target.make_sure(f"Delete the snapshot {found.name} ({found.id})?", yes)
        to.settle(to.neon.snapshots.delete(project_id, found.id).operations, "Neon deletes it")
    if output.wants_json():
        output.emit({"deleted": True, "id": found.id, "name": found.name})
    else:
        click.echo(f"Deleted the snapshot {found.name} ({found.id}).")


@snapshots.command()
@click.argument("snapshot")
@click.option("--as", "name", metavar="NAME", help="The new branch's name.")
@click.option("--replace", is_flag=True, help="Put it in the place of the branch it is of.")
@options.owner_option
@target.yes_option
@target.project_options
@output.json_option
def restore(
    *,
    snapshot: str,
    name: str | None,
    replace: bool,
    yes: bool,
    project: str | None,
    local: bool,
    **arguments: Any,
) -> None:
    """Make a branch of a snapshot, by id or name.

    With --replace the branch takes the place of the one that the snapshot was taken of: connection
    strings stay, and the branch that was there stays as "NAME (old)".
    """
    with target.opened(local=local, **arguments) as to:
        if replace:
            to.check_owner(project, "restored")
        project_id = to.project(project)
        found = to.snapshot(project_id, snapshot)
        if replace:
            target.make_sure(
                f"Put the snapshot {found.name} ({found.id}) in the place of its branch?", yes
            )
        made = to.neon.snapshots.restore(
            project_id, found.id, name=name, finalize_restore=replace,
            target_branch_id=found.source_branch_id if replace else None,
        )  # fmt: skip
        to.settle(made.operations, "Neon restores the snapshot")
    if output.wants_json():
        output.emit(output.plain(made))
    else:
        click.echo(f"Restored into the branch {made.branch.name} ({made.branch.id}).")
