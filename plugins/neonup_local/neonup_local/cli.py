"""The commands about the databases on this machine: ``list``, ``logs``, ``stop``, ``prune``."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

import neonup
from neonup import USER, NeonupError
from neonup.plugin import commands
from neonup.plugin.manager import create_plugin_manager
from neonup_local.engine import sizes
from neonup_local.pruning import DeletedGitBranches, OrphanedDatabases, Prunable
from neonup_local.servers import Leftover, Servers
from neonup_local.service import details
from neonup_local.service.databases import LocalDatabases
from neonup_local.test_server import overview, sweep

_COLOURS = {"ready": "green", "stopped": "yellow"}
_POLL_SECONDS = 0.2


def _databases() -> LocalDatabases:
    return LocalDatabases(neonup.home())


def _other_servers(home: Path) -> list[Servers]:
    """What other plugins run on this machine."""
    offered = create_plugin_manager().hook.neonup_servers()
    return [servers(home) for classes in offered for servers in classes]


def _current(env_file: str | None, key: str | None) -> str:
    """The id of the current project's database.

    Raises:
        NeonupError: there is none, or it is not on this machine.
    """
    database = neonup.find(env_file=env_file, key=key)
    if database is None:
        raise NeonupError(
            "This project has no database yet.",
            checked=[str(Path.cwd())],
            remedy="`neonup` creates one; `neonup list` shows the others on this machine.",
        )
    if database.provider != "local" or database.id is None:
        raise NeonupError(
            f"This project's database is not managed by neonup on this machine: it is "
            f"{'your own' if database.provider == USER else database.provider}.",
            checked=[f"{database.key} from {database.source}"],
        )
    neonup.owner.settle(neonup.resolve(env_file=env_file, key=key), database)
    return database.id


@click.command("list")
@neonup.json_option
def list_() -> None:
    """Show every database on this machine, and whether it runs."""
    databases = _databases()
    rows = [details.row(databases, id_) for id_ in databases.ids()]
    rows += overview.rows(databases.home)
    rows += [row for servers in _other_servers(databases.home) for row in servers.rows()]
    if neonup.wants_json():
        neonup.emit(rows)
        return
    if not rows:
        click.echo(f"No databases in {databases.home}.")
        return
    width = max(len(str(row["id"])) for row in rows)
    for row in rows:
        click.echo(_line(row, width))


def _line(row: dict[str, str | int | None], width: int) -> str:
    state = str(row["state"])
    parts = [
        str(row["id"]).ljust(width),
        neonup.style(state.ljust(7), fg=_COLOURS.get(state, "red")),
        str(row["port"] or "-").rjust(5),
        sizes.human(int(row["size"] or 0)).rjust(8),
        f"{row['connections'] or 0} connected",
    ]
    text = neonup.style(str(row["problem"]), fg="red") if row["problem"] else str(row["project"])
    text += " (preview)" * (row["kind"] == "preview")
    return "  ".join([*parts, text])


@click.command()
@commands.database_options
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@click.option("-n", "--lines", default=100, show_default=True, help="The number of lines to show.")
@neonup.json_option
def logs(env_file: str | None, key: str | None, follow: bool, lines: int) -> None:
    """Print what the project's Postgres wrote into its log."""
    path = _databases().folder(_current(env_file, key)) / "log"
    try:
        written = path.read_bytes()
    except OSError as error:
        raise NeonupError(f"There is no log to read: {path}: {error.strerror}.") from None
    last = written.decode(errors="replace").splitlines()[-lines:] if lines > 0 else []
    if neonup.wants_json():
        neonup.emit({"log": str(path), "lines": last})
        return
    for line in last:
        click.echo(line)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for added in _added(path, len(written)):
                click.echo(added, nl=False)


def _added(path: Path, position: int) -> Iterator[str]:
    """What is appended to a file from now on; a replaced file is read from its start."""
    file = path.open("rb")
    file.seek(min(position, path.stat().st_size))
    try:
        while True:
            if part := file.read():
                yield part.decode(errors="replace")
                sys.stdout.flush()
                continue
            time.sleep(_POLL_SECONDS)
            now = path.stat() if path.exists() else None
            here = os.fstat(file.fileno())
            if now is not None and (now.st_ino != here.st_ino or now.st_size < file.tell()):
                file.close()
                file = path.open("rb")
    finally:
        file.close()


@click.command()
@commands.database_options
@click.option(
    "--all", "everything", is_flag=True, help="Stop all of neonup's servers on this machine."
)
@neonup.json_option
def stop(env_file: str | None, key: str | None, everything: bool) -> None:
    """Stop the project's Postgres; its data is kept."""
    databases = _databases()
    ids = databases.ids() if everything else [_current(env_file, key)]
    stopped = [id_ for id_ in ids if databases.stop(id_)]
    ended = overview.end_kept(databases.home) if everything else []
    if everything:
        stopped += [id_ for servers in _other_servers(databases.home) for id_ in servers.stop()]
    if neonup.wants_json():
        neonup.emit({"stopped": [*stopped, *ended]})
        return
    if ended:
        click.echo(f"Stopped {len(ended)} servers kept for failed tests and deleted their data.")
    if stopped:
        click.echo(f"Stopped {', '.join(stopped)}. The data is kept; `neonup` starts it again.")
    elif not ended:
        click.echo("Nothing was running.")


@click.command()
@commands.yes_option
@click.option(
    "--of", "given_up", metavar="FOLDER", type=click.Path(path_type=Path),
    help="This project's folder is gone for good, also where that is in doubt.",
)  # fmt: skip
@neonup.json_option
def prune(yes: bool, given_up: Path | None) -> None:
    """Delete databases that nobody can miss: the project is gone, or was deleted.

    What runs stays, and what was used since its folder was gone, and what may be on a file system
    that is not mounted. What killed test runs left, and failed tests' databases that are old, goes
    without asking. In your account at Neon it deletes branches that were made for git branches
    which are gone.
    """
    _check_enabled()
    databases = _databases()
    removed = sweep(databases.home)
    if removed and not neonup.wants_json():
        click.echo(f"Removed the leftovers of {len(removed)} pytest runs.")
    kinds: list[Prunable] = [
        OrphanedDatabases(databases, given_up and given_up.absolute()),
        DeletedGitBranches(databases),
        *_other_servers(databases.home),
    ]
    offers = [(kind, kind.leftovers()) for kind in kinds]
    left = [leftover for _, offered in offers for leftover in offered if leftover.stays]
    _tell_left(left)
    rows = [leftover for _, offered in offers for leftover in offered if not leftover.stays]
    if rows:
        _make_sure(rows, yes)
    for kind, offered in offers:
        wanted = [leftover for leftover in offered if not leftover.stays]
        stayed = kind.purge(wanted) if wanted else []
        _tell_left(stayed)
        left += stayed
        used = {leftover.id for leftover in stayed}
        rows = [leftover for leftover in rows if leftover.id not in used]
    if neonup.wants_json():
        deleted = [{"id": row.id, "why": row.why, "size": row.size} for row in rows]
        stay = [{"id": row.id, "why": f"{row.why}, but {row.stays}"} for row in left]
        neonup.emit({"deleted": deleted, "left": stay})
    elif rows:
        freed = sizes.human(sum(row.size for row in rows))
        click.echo(f"Deleted {len(rows)}, which frees {freed}.")
    elif not removed and not left:
        click.echo("There is nothing to prune.")


def _tell_left(leftovers: list[Leftover]) -> None:
    if not neonup.wants_json():
        for leftover in leftovers:
            click.echo(f"Left {leftover.id}: {leftover.why}, but {leftover.stays}.")


def _check_enabled() -> None:
    if os.environ.get("NEONUP"):  # else no project's settings matter
        commands.change()


def _make_sure(rows: list[Leftover], yes: bool) -> None:
    lines = [f"{row.id}  {sizes.human(row.size)}  {row.why}" for row in rows]
    if not neonup.wants_json():
        click.echo("\n".join(lines))
    question = f"Delete {len(rows)} database{'s' * (len(rows) != 1)} for good?"
    if not yes and not neonup.confirm(question):
        raise NeonupError(
            "Nothing was deleted.",
            checked=lines if neonup.wants_json() else (),
            remedy="Pass --yes to skip the prompt.",
        )
