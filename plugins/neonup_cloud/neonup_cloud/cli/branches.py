"""``branches``: those of the project that .env points at, or of another one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from neonup import NeonupError
from neonup.plugin import commands
from neonup_cloud.cli import deletion, target
from neonup_cloud.cli.times import Moment

if TYPE_CHECKING:
    from neonup_cloud.api.answers import Branch


@click.group(cls=commands.CommandGroup)
def branches() -> None:
    """Branches of a Neon project: the one that .env points at, unless --project names another."""


@branches.command("list")
@target.project_options
@commands.json_option
def list_(project: str | None, local: bool, **arguments: Any) -> None:
    """Show the project's branches."""
    with target.opened(local=local, **arguments) as to:
        listed = list(to.neon.branches.list(to.project(project)))
    if commands.wants_json():
        commands.emit(target.plain(listed))
        return
    names = {branch.id: branch.name for branch in listed}
    commands.grid(
        ("id", "name", "parent", "size", "created", "expires", ""),
        [
            (
                branch.id,
                branch.name,
                names.get(branch.parent_id or "", branch.parent_id),
                commands.size(branch.logical_size),
                commands.date(branch.created_at),
                commands.date(branch.expires_at),
                " ".join(
                    word
                    for word, holds in (
                        ("default", branch.default),
                        ("protected", branch.protected),
                    )
                    if holds
                ),
            )
            for branch in listed
        ],
    )


@branches.command()
@click.argument("name", required=False)
@click.option(
    "--parent",
    metavar="BRANCH",
    shell_complete=target.complete_branch,
    help="Whose data; the default branch's if not given.",
)
@target.at_option
@click.option(
    "--expires", type=commands.expiry, metavar="WHEN",
    help="When Neon deletes it: an ISO time, or 2h.",
)  # fmt: skip
@click.option("--schema-only", is_flag=True, help="Without rows.")
@target.project_options
@commands.json_option
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
    if commands.wants_json():
        commands.emit(target.plain(made))
        return
    click.echo(f"Created the branch {made.branch.name} ({made.branch.id}).")
    click.echo(f"To use it here: neonup adopt --project {project_id} --branch {made.branch.name}")


@branches.command()
@click.argument("branch", shell_complete=target.complete_branch)
@commands.owner_option
@commands.yes_option
@target.project_options
@commands.json_option
def delete(branch: str, yes: bool, project: str | None, local: bool, **arguments: Any) -> None:
    """Delete a branch, by id or name, with its data."""
    with target.opened(local=local, **arguments) as to:
        to.check_owner(project, "deleted")
        project_id = to.project(project)
        item = to.branch(project_id, branch)
        deletion.delete(
            to,
            "branch",
            item,
            lambda: to.neon.branches.delete(project_id, item.id).operations,
            loses=" with its data",
            yes=yes,
        )


@branches.command()
@click.argument("branch", shell_complete=target.complete_branch)
@click.option(
    "--from",
    "source",
    metavar="BRANCH",
    shell_complete=target.complete_branch,
    help="Whose data; its own if not given.",
)
@target.at_option
@click.option("--keep-as", metavar="NAME", help="Keep what it has now as a branch of this name.")
@commands.owner_option
@commands.yes_option
@target.project_options
@commands.json_option
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
        item = to.branch(project_id, branch)
        other = to.branch(project_id, source) if source else item
        if other.id == item.id and keep_as is None:
            # Neon demands a name here, since the history would be cut otherwise.
            keep_as = f"{item.name}_old_{datetime.now():%Y%m%d_%H%M%S}"
        _restore(to, item, source_id=other.id, at=at or Moment(), keep_as=keep_as, yes=yes)
    _report(item, f"Restored the branch {item.name}", keep_as)


@branches.command()
@click.argument("branch", shell_complete=target.complete_branch)
@click.option("--keep-as", metavar="NAME", help="Keep what it has now as a branch of this name.")
@commands.owner_option
@commands.yes_option
@target.project_options
@commands.json_option
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
        item = to.branch(project_id, branch)
        if item.parent_id is None:
            raise NeonupError(
                f"The branch {item.name} has no parent to be reset to.",
                remedy="To an earlier moment of its own: neonup branches restore "
                f"{item.name} --at WHEN",
            )
        _restore(to, item, source_id=item.parent_id, at=Moment(), keep_as=keep_as, yes=yes)
    _report(item, f"Reset the branch {item.name} to its parent", keep_as)


def _restore(
    to: target.AccountTarget,
    branch: Branch,
    *,
    source_id: str,
    at: Moment,
    keep_as: str | None,
    yes: bool,
) -> None:
    commands.make_sure(f"Replace the data of the branch {branch.name} ({branch.id})?", yes)
    restored = to.neon.branches.restore(
        branch.project_id,
        branch.id,
        source_branch_id=source_id,
        source_timestamp=at.time,
        source_lsn=at.lsn,
        preserve_under_name=keep_as,
    )
    to.settle(restored.operations, "Neon restores the branch")


def _report(branch: Branch, done: str, keep_as: str | None) -> None:
    if commands.wants_json():
        commands.emit({"id": branch.id, "name": branch.name, "kept_as": keep_as})
    else:
        click.echo(f"{done}; what it had is {f'in {keep_as}' if keep_as else 'gone'}.")
