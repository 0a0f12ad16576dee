"""``versions`` and ``undo``: states of the project's database that are kept and gone back to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import click

from neonup.cli import moments, options, output
from neonup.cli.groups import CommandGroup
from neonup.database import Database
from neonup.errors import NeonupError
from neonup.settings import Settings
from neonup.start import announce, version_service
from neonup.start.lookup import find_database
from neonup.versions import Restored, Version, VersionBranch, Versions, latest, named

_COMPLETE = options.completed("versions")


@dataclass(frozen=True)
class _Opened:
    """The project's database with its versions."""

    settings: Settings
    database: Database
    versions: Versions

    def bring_back(self, wanted: Version | datetime, described: str, *, yes: bool) -> None:
        """Restore a version or a moment, after asking, and say what was done."""
        name = announce.describe(self.database)
        version_service.check_owner(self.settings, "brought back")
        question = f"Bring {name} back to {described}? Its connections are closed."
        options.make_sure(question, yes)
        _say(name, version_service.restore(self.settings, self.versions, wanted))


def _opened(*, changing: bool = True, **arguments: Any) -> _Opened:
    settings = (options.change if changing else options.start)(**arguments).settings
    database = find_database(settings)
    versions = version_service.versions_of(settings, database)
    assert database is not None  # noqa: S101 - else versions_of had raised
    return _Opened(settings, database, versions)


@click.group(cls=CommandGroup)
def versions() -> None:
    """Versions of the project's database: kept states, which one can look at and go back to."""


@versions.command()
@click.argument("name", required=False)
@click.option("--replace-oldest", is_flag=True,
    help="Where the plan at Neon allows no more, delete the oldest for it.",
)  # fmt: skip
@options.owner_option
@options.database_options
@output.json_option
def checkpoint(name: str | None, replace_oldest: bool, **arguments: Any) -> None:
    """Keep the database as it is now."""
    opened = _opened(**arguments)
    if replace_oldest:
        version_service.check_owner(opened.settings, "kept or deleted")
    made = opened.versions.checkpoint(name, replace_oldest=replace_oldest)
    if output.wants_json():
        output.emit(asdict(made))
        return
    size = f", {output.size(made.size)}" if made.size is not None else ""
    click.echo(f"Kept the database as {made.name} ({made.id}{size}). `neonup undo` goes back.")


@versions.command("list")
@options.database_options
@output.json_option
def list_(**arguments: Any) -> None:
    """Show the versions, newest first, and the previews."""
    opened = _opened(changing=False, **arguments)
    history, branches = opened.versions.history(), opened.versions.branches()
    if output.wants_json():
        output.emit(
            {
                "versions": [*map(asdict, history)],
                "previews": [*map(asdict, branches)],
            }
        )
        return
    if not history and not branches:
        click.echo("No versions. `neonup versions checkpoint` keeps one.")
        return
    if history:
        rows = [
            (version.id, version.name, output.size(version.size), _age(version), _kind(version))
            for version in history
        ]
        output.grid(("id", "name", "size", "age", "kept by"), rows)
    if branches:
        click.echo()
        previews = [(branch.id, branch.name, output.date(branch.expires_at)) for branch in branches]
        output.grid(("id", "preview", "expires"), previews)


@versions.command()
@click.argument("version", required=False, shell_complete=_COMPLETE)
@click.option(
    "--expires", type=moments.expiry, metavar="WHEN",
    help="When it is deleted: an ISO time, or 2h; never if not given.",
)  # fmt: skip
@options.database_options
@output.json_option
def preview(version: str | None, expires: datetime | None, **arguments: Any) -> None:
    """Open a version, by id or name, as a database beside the project's own.

    Without a version it is a copy of the database as it is now, to try something on.
    """
    opened = _opened(**arguments)
    if version is None:
        name = f"copy-{datetime.now():%Y%m%d-%H%M%S}"
        made = opened.versions.branch(name, expires_at=expires)
    else:
        made = opened.versions.preview(
            named(opened.versions.history(), version), expires_at=expires
        )
    if output.wants_json():
        output.emit(asdict(made))
        return
    until = f" until {output.date(made.expires_at)}" if made.expires_at else ""
    click.echo(f"{made.name} ({made.id}) is there{until}:\n{made.url}")


@versions.command()
@click.argument("version", shell_complete=_COMPLETE)
@options.owner_option
@options.yes_option
@options.database_options
@output.json_option
def restore(version: str, yes: bool, **arguments: Any) -> None:
    """Bring the database back to a version, by id or name; its URL stays."""
    opened = _opened(**arguments)
    chosen = named(opened.versions.history(), version)
    opened.bring_back(chosen, _described(chosen), yes=yes)


@versions.command()
@click.argument("name", shell_complete=_COMPLETE)
@options.owner_option
@options.yes_option
@options.database_options
@output.json_option
def delete(name: str, yes: bool, **arguments: Any) -> None:
    """Delete a version or a preview, by id or name."""
    opened = _opened(**arguments)
    version_service.check_owner(opened.settings, "deleted")
    branches = [branch for branch in opened.versions.branches() if name in (branch.id, branch.name)]
    target: Version | VersionBranch
    if len(branches) == 1:
        target = branches[0]
        options.make_sure(f"Delete the preview {target.name} ({target.id})?", yes)
        opened.versions.delete_branch(target)
    else:
        target = named(opened.versions.history(), name)
        options.make_sure(f"Delete the version {target.name} ({target.id})?", yes)
        opened.versions.delete(target)
    if output.wants_json():
        output.emit({"deleted": True, "id": target.id, "name": target.name})
    else:
        click.echo(f"Deleted {target.name} ({target.id}).")


@click.command()
@click.argument("version", required=False, shell_complete=_COMPLETE)
@click.option(
    "--at", type=moments.at, metavar="WHEN",
    help="To an ISO time, or '5m ago', where the provider keeps the history.",
)  # fmt: skip
@options.owner_option
@options.yes_option
@options.database_options
@output.json_option
def undo(version: str | None, at: datetime | None, yes: bool, **arguments: Any) -> None:
    """Bring the database back to its newest version, e.g. after a bad migration.

    Or to another version, by id or name, or to a moment. What there is now is kept, where the
    provider keeps it, so that this can be undone, too.
    """
    if version is not None and at is not None:
        raise click.UsageError("Name a version or --at, not both.")
    opened = _opened(**arguments)
    if at is not None:
        opened.bring_back(at, f"as of {output.date(at)}", yes=yes)
        return
    history = opened.versions.history()
    chosen = named(history, version) if version is not None else latest(history)
    if chosen is None:
        raise NeonupError(
            f"There is no version of {announce.describe(opened.database)} to go back to.",
            checked=[f"{len(history)} that restores have kept"] if history else (),
            remedy="`neonup versions checkpoint` keeps one, before the next change.",
        )
    opened.bring_back(chosen, _described(chosen), yes=yes)


def _say(name: str, done: Restored) -> None:
    if output.wants_json():
        output.emit(asdict(done))
        return
    click.echo(f"{name[0].upper()}{name[1:]} is back at {done.name}.")
    if done.before is not None:
        click.echo(
            f"What there was before is kept as {done.before.name}: "
            f"`neonup undo {done.before.name}` brings it back."
        )
    elif done.kept_branch is not None:
        click.echo(f"What there was before is on the branch {done.kept_branch}.")


def _described(version: Version) -> str:
    return f"{version.name} of {_age(version)}"


def _age(version: Version) -> str:
    return f"{announce.duration(datetime.now(UTC) - version.created_at)} ago"


def _kind(version: Version) -> str:
    return "neonup" if version.automatic else "you"
