"""``branches``: the branches of a project."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from neonup.cli import output
from neonup.cli.neon import reach
from neonup.errors import NeonupError
from neonup.neon import NeonClient
from neonup.neon.answers import Branch


@click.group()
def branches() -> None:
    """The branches of a Neon project."""


@branches.command("list")
@reach.project_option
@output.json_option
def list_(project: str | None) -> None:
    """List the branches."""
    with reach.neon() as neon:
        found = list(neon.branches.list(reach.project_id(project)))
    if output.wants_json():
        output.emit(reach.plain(found))
        return
    names = {one.id: one.name for one in found}
    output.rows(
        ("id", "name", "parent", "size", "created", "expires", ""),
        (
            (
                one.id,
                one.name,
                names.get(one.parent_id or "", one.parent_id),
                reach.human(one.logical_size),
                reach.shown(one.created_at),
                reach.shown(one.expires_at),
                "default" if one.default else "protected" if one.protected else "",
            )
            for one in found
        ),
    )


@branches.command()
@click.argument("name", required=False)
@click.option("--parent", metavar="BRANCH", help="Of which branch; the default one if none.")
@click.option("--at", metavar="MOMENT", help="As it was: a time, 5m, 2h, 1d, or an LSN.")
@click.option("--expires-in", metavar="LENGTH", help="Let Neon delete it after e.g. 2h or 7d.")
@click.option("--schema-only", is_flag=True, help="Without rows.")
@reach.project_option
@output.json_option
def create(
    *,
    name: str | None,
    parent: str | None,
    at: str | None,
    expires_in: str | None,
    schema_only: bool,
    project: str | None,
) -> None:
    """Create a branch, and print its connection URL."""
    id_ = reach.project_id(project)
    then = {f"parent_{kind}": value for kind, value in reach.moment(at).items()}
    with reach.neon() as neon:
        made = neon.branches.create(
            id_,
            name=name,
            parent_id=reach.branch(neon, id_, parent).id,
            expires_at=_after(expires_in),
            init_source="schema-only" if schema_only else None,
            **then,
        )
        reach.finish(neon, made.operations, "creating the branch")
        url = _url(neon, made.branch)
    if output.wants_json():
        output.emit(reach.plain(made) | {"url": url})
        return
    output.table({"branch": made.branch.id, "name": made.branch.name, "url": url})


@branches.command()
@click.argument("branch")
@reach.project_option
@reach.yes_option
@output.json_option
def delete(branch: str, project: str | None, yes: bool) -> None:
    """Delete a branch with its data."""
    id_ = reach.project_id(project)
    with reach.neon() as neon:
        found = reach.branch(neon, id_, branch)
        output.make_sure(f"Delete the branch {found.name} ({found.id}) and its data?", yes)
        reach.finish(neon, neon.branches.delete(id_, found.id).operations, "deleting the branch")
    if output.wants_json():
        output.emit({"deleted": True, "id": found.id})
    else:
        click.echo(f"Deleted the branch {found.name} ({found.id}).")


@branches.command()
@click.argument("branch", required=False)
@click.option("--at", required=True, metavar="MOMENT", help="A time, 5m, 2h, 1d, or an LSN.")
@click.option("--keep-as", metavar="NAME", help="Keep what it has now as a branch of this name.")
@reach.project_option
@reach.yes_option
@output.json_option
def restore(
    branch: str | None, at: str, keep_as: str | None, project: str | None, yes: bool
) -> None:
    """Give a branch the data that it had at a moment; connection URLs stay."""
    id_ = reach.project_id(project)
    then = {f"source_{kind}": value for kind, value in reach.moment(at).items()}
    with reach.neon() as neon:
        found = reach.branch(neon, id_, branch)
        _replace(neon, found, found.id, keep_as=keep_as, yes=yes, **then)


@branches.command()
@click.argument("branch")
@click.option("--keep-as", metavar="NAME", help="Keep what it has now as a branch of this name.")
@reach.project_option
@reach.yes_option
@output.json_option
def reset(branch: str, keep_as: str | None, project: str | None, yes: bool) -> None:
    """Give a branch the data that its parent has now; connection URLs stay."""
    id_ = reach.project_id(project)
    with reach.neon() as neon:
        found = reach.branch(neon, id_, branch)
        if found.parent_id is None:
            raise NeonupError(
                f"{found.name} has no parent to be reset to.",
                remedy="`neonup branches restore --at MOMENT` goes back in its own history.",
            )
        _replace(neon, found, found.parent_id, keep_as=keep_as, yes=yes)


def _replace(
    neon: NeonClient, found: Branch, source: str, *, keep_as: str | None, yes: bool, **then: Any
) -> None:
    if keep_as is None:
        output.make_sure(f"Replace what {found.name} ({found.id}) has now?", yes)
    done = neon.branches.restore(
        found.project_id,
        found.id,
        source_branch_id=source,
        preserve_under_name=keep_as,
        **then,
    )
    reach.finish(neon, done.operations, "restoring the branch")
    if output.wants_json():
        output.emit(reach.plain(done))
    else:
        click.echo(f"Restored {done.branch.name} ({done.branch.id}).")


def _after(length: str | None) -> datetime | None:
    if length is None:
        return None
    return datetime.now(UTC) + reach.length(length)


def _url(neon: NeonClient, branch: Branch) -> str | None:
    """How one connects to a branch: as the owner of its first database."""
    database = next(iter(neon.databases.list(branch.project_id, branch.id)), None)
    if database is None:
        return None
    return neon.projects.connection_uri(
        branch.project_id,
        branch_id=branch.id,
        database_name=database.name,
        role_name=database.owner_name,
        pooled=True,
    )
