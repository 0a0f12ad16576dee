"""``branches``: those of the project that .env points at, or of another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from neonup.cli import moments, options, output, target
from neonup.cli.moments import Moment
from neonup.errors import NeonupError


@click.group()
def branches() -> None:
    """Branches of a Neon project: the one that .env points at, unless --project names another."""


@branches.command("list")
@target.project_options
@output.json_option
def list_(project: str | None, local: bool, **arguments: Any) -> None:
    """Show the project's branches."""
    with target.opened(local=local, **arguments) as to:
        found = list(to.neon.branches.list(to.project(project)))
    if output.wants_json():
        output.emit(output.plain(found))
        return
    names = {one.id: one.name for one in found}
    output.grid(
        ("id", "name", "parent", "size", "created", "expires", ""),
        [
            (
                one.id,
                one.name,
                names.get(one.parent_id or "", one.parent_id),
                output.size(one.logical_size),
                output.date(one.created_at),
                output.date(one.expires_at),
                " ".join(
                    word
                    for word, holds in (("default", one.default), ("protected", one.protected))
                    if holds
                ),
            )
            for one in found
        ],
    )


_at = click.option(
    "--at", type=moments.at, metavar="WHEN",
    help="As it was at an ISO time, '5m ago', or an LSN; within the project's history.",
)  # fmt: skip


@branches.command()
@click.argument("name", required=False)
@click.option("--parent", metavar="BRANCH", help="Whose data; the default branch's if not given.")
@_at
@click.option(
    "--expires", type=moments.expiry, metavar="WHEN",
    help="When Neon deletes it: an ISO time, or 2h.",
)  # fmt: skip
@click.option("--schema-only", is_flag=True, help="Without rows.")
@target.project_options
@output.json_option
def create(
    *,
    name: str | None,
    parent: str | None,
    at: Moment | None,
    expires: datetime | None,
    schema_only: bool,
    project: str | None,
    local: bool,
    **arguments: Any,
) -> None:
    """Create a branch with its parent's data; .env stays as it is."""
    at = at or Moment()
    with target.opened(local=local, **arguments) as to:
        project_id = to.project(project)
        made = to.neon.branches.create(
            project_id,
            name=name,
            parent_id=to.branch(project_id, parent).id,
            parent_timestamp=at.time,
            parent_lsn=at.lsn,
            expires_at=expires,
            init_source="schema-only" if schema_only else None,
        )
        to.settle(made.operations, "Neon prepares the branch")
    if output.wants_json():
        output.emit(output.plain(made))
        return
    click.echo(f"Created the branch {made.branch.name} ({made.branch.id}).")
    click.echo(f"To use it here: neonup adopt --project {project_id} --branch {made.branch.name}")


@branches.command()
@click.argument("branch")
@options.owner_option
@target.yes_option
@target.project_options
@output.json_option
def delete(branch: str, yes: bool, project: str | None, local: bool, **arguments: Any) -> None:
    """Delete a branch, by id or name, with its data."""
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "deleted")
        project_id = to.project(project)
        found = to.branch(project_id, branch)
        target.make_sure(f"Delete the branch {found.name} ({found.id}) with its data?", yes)
        to.settle(to.neon.branches.delete(project_id, found.id).operations, "Neon deletes it")
    if output.wants_json():
        output.emit({"deleted": True, "id": found.id, "name": found.name})
    else:
        click.echo(f"Deleted the branch {found.name} ({found.id}).")


@branches.command()
@click.argument("branch")
@click.option("--from", "source", metavar="BRANCH", help="Whose data; its own if not given.")
@_at
@click.option("--keep-as", metavar="NAME", help="Keep what it has now as a branch of this name.")
@options.owner_option
@target.yes_option
@target.project_options
@output.json_option
def restore(
    *,
    branch: str,
    source: str | None,
    at: Moment | None,
    keep_as: str | None,
    yes: bool,
    project: str | None,
    local: bool,
    **arguments: Any,
) -> None:
    """Give a branch its own data of an earlier moment, or another branch's.

    Its connection string stays. Neon keeps what it had where --keep-as names a branch for it.
    """
    if source is None and at is None:
        raise NeonupError(
            "A branch is restored to a moment, or from another branch.",
            remedy="Pass --at, or --from, or both.",
        )
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "restored")
        project_id = to.project(project)
        found = to.branch(project_id, branch)
        other = to.branch(project_id, source) if source else found
        if other.id == found.id and keep_as is None:
            # Neon demands a name here, since the history would be cut otherwise.
            keep_as = f"{found.name}_old_{datetime.now():%Y%m%d_%H%M%S}"
        target.make_sure(f"Replace the data of the branch {found.name} ({found.id})?", yes)
        _restore(to, project_id, found.id, source_id=other.id, at=at or Moment(), keep_as=keep_as)
    _told(found.id, found.name, f"Restored the branch {found.name}", keep_as)


@branches.command()
@click.argument("branch")
@click.option("--keep-as", metavar="NAME", help="Keep what it has now as a branch of this name.")
@options.owner_option
@target.yes_option
@target.project_options
@output.json_option
def reset(
    *,
    branch: str,
    keep_as: str | None,
    yes: bool,
    project: str | None,
    local: bool,
    **arguments: Any,
) -> None:
    """Give a branch the data that its parent has now; its connection string stays."""
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "reset")
        project_id = to.project(project)
        found = to.branch(project_id, branch)
        if found.parent_id is None:
            raise NeonupError(
                f"The branch {found.name} has no parent to be reset to.",
                remedy="To an earlier moment of its own: neonup branches restore "
                f"{found.name} --at WHEN",
            )
        target.make_sure(f"Replace the data of the branch {found.name} ({found.id})?", yes)
        _restore(to, project_id, found.id, source_id=found.parent_id, at=Moment(), keep_as=keep_as)
    _told(found.id, found.name, f"Reset the branch {found.name} to its parent", keep_as)


def _restore(
    to: target.Target,
    project_id: str,
    branch_id: str,
    *,
    source_id: str,
    at: Moment,
    keep_as: str | None,
) -> None:
    done = to.neon.branches.restore(
        project_id,
        branch_id,
        source_branch_id=source_id,
        source_timestamp=at.time,
        source_lsn=at.lsn,
        preserve_under_name=keep_as,
    )
    to.settle(done.operations, "Neon restores the branch")


def _told(id_: str, name: str, done: str, keep_as: str | None) -> None:
    if output.wants_json():
        output.emit({"id": id_, "name": name, "kept_as": keep_as})
    else:
        click.echo(f"{done}; what it had is {f'in {keep_as}' if keep_as else 'gone'}.")
