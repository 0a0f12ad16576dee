"""``snapshots``: snapshots of a project's root branches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from neonup.plugin import commands
from neonup_cloud.cli import deletion, target
from neonup_cloud.cli.times import Moment


@click.group(cls=commands.CommandGroup)
def snapshots() -> None:
    """Snapshots of a Neon project: the one that .env points at, unless --project names another."""


@snapshots.command("list")
@target.project_options
@commands.json_option
def list_(project: str | None, local: bool, **arguments: Any) -> None:
    """Show the project's snapshots."""
    with target.opened(local=local, **arguments) as to:
        listed = list(to.neon.snapshots.list(to.project(project)))
    if commands.wants_json():
        commands.emit(target.plain(listed))
        return
    if not listed:
        click.echo("No snapshots.")
        return
    commands.grid(
        ("id", "name", "slug", "branch", "size", "created", "expires"),
        [
            (
                snapshot.id,
                snapshot.name,
                snapshot.slug,
                snapshot.source_branch_id,
                commands.size(snapshot.full_size),
                commands.date(snapshot.created_at),
                commands.date(snapshot.expires_at),
            )
            for snapshot in listed
        ],
    )


@snapshots.command()
@click.argument("name", required=False)
@click.option(
    "--branch", metavar="BRANCH", shell_complete=target.complete_branch,
    help="A root branch; that of .neon, else the default.",
)  # fmt: skip
@click.option(
    "--slug", help="What it can be named by, unique in the project; Neon makes one up if not given."
)
@target.at_option
@click.option(
    "--expires", type=commands.expiry, metavar="WHEN",
    help="When Neon deletes it: an ISO time, or 7d; never if not given.",
)  # fmt: skip
@target.project_options
@commands.json_option
def create(
    *,
    name: str | None,
    branch: str | None,
    slug: str | None,
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
            to.current_branch(project_id, branch).id,
            name=name,
            slug=slug,
            timestamp=at.time,
            lsn=at.lsn,
            expires_at=expires,
        )
        to.settle(made.operations, "Neon takes the snapshot")
    if commands.wants_json():
        commands.emit(target.plain(made))
    else:
        click.echo(f"Created the snapshot {made.snapshot.name} ({made.snapshot.id}).")


@snapshots.command()
@click.argument("snapshot")
@commands.owner_option
@commands.yes_option
@target.project_options
@commands.json_option
def delete(snapshot: str, yes: bool, project: str | None, local: bool, **arguments: Any) -> None:
    """Delete a snapshot, by id, name or slug; branches that were restored from it stay."""
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "deleted")
        project_id = to.project(project)
        item = to.snapshot(project_id, snapshot)
        deletion.delete(
            to,
            "snapshot",
            item,
            lambda: to.neon.snapshots.delete(project_id, item.id).operations,
            yes=yes,
        )


@snapshots.command()
@click.argument("snapshot")
@click.option("--as", "name", metavar="NAME", help="The new branch's name.")
@click.option("--replace", is_flag=True, help="Put it in the place of the branch it is of.")
@commands.owner_option
@commands.yes_option
@target.project_options
@commands.json_option
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
    """Make a branch of a snapshot, by id, name or slug.

    With --replace the branch takes the place of the one that the snapshot was taken of: connection
    strings stay, and the branch that was there stays as "NAME (old)".
    """
    with target.opened(local=local, **arguments) as to:
        if replace:
            to.check_owner(project, "restored")
        project_id = to.project(project)
        item = to.snapshot(project_id, snapshot)
        if replace:
            commands.make_sure(
                f"Put the snapshot {item.name} ({item.id}) in the place of its branch?", yes
            )
        made = to.neon.snapshots.restore(
            project_id, item.id, name=name, finalize_restore=replace,
            target_branch_id=item.source_branch_id if replace else None,
        )  # fmt: skip
        to.settle(made.operations, "Neon restores the snapshot")
    if commands.wants_json():
        commands.emit(target.plain(made))
    else:
        click.echo(f"Restored into the branch {made.branch.name} ({made.branch.id}).")
