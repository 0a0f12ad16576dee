"""``snapshots``: kept copies of a project's branches."""

from __future__ import annotations

import click

from neonup.cli import output
from neonup.cli.neon import reach


@click.group()
def snapshots() -> None:
    """The snapshots of a Neon project."""


@snapshots.command("list")
@reach.project_option
@output.json_option
def list_(project: str | None) -> None:
    """List the snapshots."""
    with reach.neon() as neon:
        found = list(neon.snapshots.list(reach.project_id(project)))
    if output.wants_json():
        output.emit(reach.plain(found))
        return
    output.rows(
        ("id", "name", "branch", "created", "expires"),
        (
            (
                one.id,
                one.name,
                one.source_branch_id,
                reach.shown(one.created_at),
                reach.shown(one.expires_at),
            )
            for one in found
        ),
    )


@snapshots.command()
@click.argument("name", required=False)
@click.option("--branch", metavar="BRANCH", help="Of which root branch; the default one if none.")
@click.option("--at", metavar="MOMENT", help="As it was: a time, 5m, 2h, 1d, or an LSN.")
@reach.project_option
@output.json_option
def create(name: str | None, branch: str | None, at: str | None, project: str | None) -> None:
    """Keep a branch as it is now, or as it was."""
    id_ = reach.project_id(project)
    then = reach.moment(at)
    with reach.neon() as neon:
        of = reach.branch(neon, id_, branch)
        made = neon.snapshots.create(id_, of.id, name=name, **then)
        reach.finish(neon, made.operations, "creating the snapshot")
    if output.wants_json():
        output.emit(reach.plain(made.snapshot))
        return
    output.table({"snapshot": made.snapshot.id, "name": made.snapshot.name, "branch": of.name})


@snapshots.command()
@click.argument("snapshot")
@reach.project_option
@reach.yes_option
@output.json_option
def delete(snapshot: str, project: str | None, yes: bool) -> None:
    """Delete a snapshot; branches that were created from it stay."""
    id_ = reach.project_id(project)
    with reach.neon() as neon:
        found = reach.snapshot(neon, id_, snapshot)
        output.make_sure(f"Delete the snapshot {found.name} ({found.id})?", yes)
        gone = neon.snapshots.delete(id_, found.id)
        reach.finish(neon, gone.operations, "deleting the snapshot")
    if output.wants_json():
        output.emit({"deleted": True, "id": found.id})
    else:
        click.echo(f"Deleted the snapshot {found.name} ({found.id}).")


@snapshots.command()
@click.argument("snapshot")
@click.option("--preview", metavar="NAME", help="As a new branch of this name, with its own URL.")
@reach.project_option
@reach.yes_option
@output.json_option
def restore(snapshot: str, preview: str | None, project: str | None, yes: bool) -> None:
    """Put a snapshot's data in its branch's place; connection URLs stay.

    What the branch had before stays as a branch "<name> (old)".
    """
    id_ = reach.project_id(project)
    with reach.neon() as neon:
        found = reach.snapshot(neon, id_, snapshot)
        if preview is None:
            output.make_sure(f"Put {found.name} ({found.id}) in its branch's place?", yes)
        done = neon.snapshots.restore(id_, found.id, name=preview, finalize_restore=preview is None)
        reach.finish(neon, done.operations, "restoring the snapshot")
    if output.wants_json():
        output.emit(reach.plain(done))
    else:
        click.echo(f"{found.name} is now {done.branch.name} ({done.branch.id}).")
