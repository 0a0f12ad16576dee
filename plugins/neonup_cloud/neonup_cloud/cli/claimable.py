"""``claimable``: unclaimed databases for a class or a workshop, and a file that lists them."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from types import FrameType
from typing import TypeVar

import click

from neonup import NeonupError, resolve
from neonup.plugin import commands, progress
from neonup.plugin.files import create as create_file
from neonup.plugin.files import replace as replace_file
from neonup.plugin.project import check_enabled, exposure_remarks
from neonup_cloud.claimable_batch import (
    CLAIMED,
    UNCLAIMED,
    BatchRow,
    BatchStopped,
    ClaimableBatch,
)

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


def _name(ctx: click.Context, option: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", value):
        raise click.BadParameter("it has letters, digits, dashes and underscores")
    return value


def _options(function: F) -> F:
    """``--name``, ``--csv``, ``-o``, ``--json``."""
    function = commands.json_option(function)
    function = click.option(
        "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
        help="The file that lists them; NAME.csv if not given.",
    )(function)  # fmt: skip
    function = click.option(
        "--csv", "as_csv", is_flag=True, help="Write that file, also with --json."
    )(function)
    return click.option(
        "--name", default="claimable", callback=_name, show_default=True,
        help="What these databases are called together.",
    )(function)  # fmt: skip


@click.group(cls=commands.CommandGroup)
def claimable() -> None:
    """Unclaimed Neon databases for a class or a workshop.

    Each lives for 72 hours, unless somebody takes it into an account.
    """


@claimable.command()
@click.option(
    "--count", type=click.IntRange(1, 500), required=True, help="How many there shall be."
)
@click.option(
    "--pause", type=click.FloatRange(0, 600), default=2.0, show_default=True, metavar="SECONDS",
    help="Between two creations.",
)  # fmt: skip
@_options
def create(*, count: int, pause: float, name: str, as_csv: bool, output: Path | None) -> None:
    """Create databases, and list them in a file that nobody else can read.

    Run again it goes on where it was interrupted. It waits as long as the service asks to.
    """
    with _opened(name, as_csv=as_csv, output=output) as (batch, listing):
        before = len(batch.rows())
        made = batch.create(count, pause=pause)
        with closing(_watched(made, "Creating databases", count - before)) as rows:
            for _ in rows:
                listing.write()
    if not commands.wants_json():
        click.echo(f"{len(batch.rows())} databases, {len(batch.rows()) - before} of them new.")


@claimable.command()
@_options
def codes(name: str, as_csv: bool, output: Path | None) -> None:
    """Ask for codes with which the databases are claimed: each is good for 15 minutes."""
    with _opened(name, as_csv=as_csv, output=output) as (batch, _):
        refused = []
        renewed = _watched(batch.renew_codes(), "Asking for codes", len(batch.rows()))
        for row, error in renewed:
            if error is not None:
                refused.append(f"{row.number}: {error.message}")
    if not commands.wants_json():
        count = sum(bool(row.claim_code) for row in batch.rows())
        commands.say([f"{count} codes.", *(f"None for {line}" for line in refused)])


@claimable.command("list")
@_options
def list_(name: str, as_csv: bool, output: Path | None) -> None:
    """Ask what became of the databases: which are claimed, which have expired."""
    with _opened(name, as_csv=as_csv, output=output) as (batch, _):
        rows = [*_watched(batch.look(), "Asking what became of them", len(batch.rows()))]
    if not commands.wants_json():
        cells = [(str(row.number), row.state, row.project_id, row.expires_at) for row in rows]
        commands.grid(("number", "state", "project", "expires"), cells)


@claimable.command()
@commands.yes_option
@_options
def delete(*, yes: bool, name: str, as_csv: bool, output: Path | None) -> None:
    """Delete those that nobody has claimed; the others are their owners'."""
    count = len(_batch(name).rows())
    commands.make_sure(
        f"Delete those of the {count} databases of {name} that are unclaimed?", yes, lost="deleted"
    )
    with _opened(name, as_csv=as_csv, output=output) as (batch, _):
        rows = [*_watched(batch.delete(), "Deleting databases", len(batch.rows()))]
    if not commands.wants_json():
        deleted = sum(row.state == UNCLAIMED for row in rows)
        claimed = sum(row.state == CLAIMED for row in rows)
        gone = len(rows) - deleted - claimed
        click.echo(f"Deleted {deleted}; {claimed} are claimed and stay, {gone} were gone already.")


def _watched(rows: Iterable[T], what: str, total: int) -> Generator[T, None, None]:
    """The rows as they come, for a person who watches."""
    done = 0
    with progress.work(what, lambda: progress.HowFar(done, total, f"{done} of {total}")):
        for row in rows:
            done += 1
            yield row


def _say(text: str) -> None:
    """A line on stderr, in the place of the one that shows how far it is."""
    click.echo(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, err=True)


class _Listing:
    """The file that lists the databases; it is neonup's as long as nobody has changed it."""

    def __init__(self, batch: ClaimableBatch, path: Path | None):
        self._batch = batch
        self._path = path

    def check(self) -> None:
        """Raise NeonupError where the file has something else in it than was written."""
        if self._path is None or not self._path.exists():
            return
        if _digest(self._path.read_bytes()) not in self._batch.written(self._path):
            raise NeonupError(
                f"{self._path} was changed, or is not neonup's; nothing was done.",
                remedy="Move it away, or name another file: --output. It is written anew with all "
                "databases.",
            )

    def write(self) -> None:
        """Write all rows; where there are none, the file goes."""
        if self._path is None:
            return
        self.check()
        rows = self._batch.rows()
        if not rows:
            self._path.unlink(missing_ok=True)
            self._batch.note_written(self._path, [])
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, [column.name for column in fields(BatchRow)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
        content = text.getvalue().encode()
        # Noted before: a process that is killed on the way leaves the old content, or the new one.
        self._batch.note_written(self._path, [*self._batch.written(self._path), _digest(content)])
        if self._path.exists():
            replace_file(self._path, content)
        else:
            create_file(self._path, content)
        self._batch.note_written(self._path, [_digest(content)])

    def say(self) -> None:
        """Where the databases are listed, and who may come to read that."""
        if self._path is not None and self._path.exists() and not commands.wants_json():
            commands.say([f"They are listed in {self._path}.", *exposure_remarks(self._path)])


@contextmanager
def _opened(
    name: str, *, as_csv: bool, output: Path | None
) -> Iterator[tuple[ClaimableBatch, _Listing]]:
    """The databases of a name; in the end, also where it failed, the list is up to date."""
    path = output or (Path(f"{name}.csv") if as_csv or not commands.wants_json() else None)
    stop = threading.Event()
    batch = _batch(name, stop)
    listing = _Listing(batch, path and path.absolute())
    with batch.held(), _stoppable(stop):
        listing.check()
        try:
            yield batch, listing
        except BatchStopped:
            raise NeonupError(
                f"Stopped. {len(batch.rows())} databases are recorded.",
                remedy="The same command goes on from there.",
            ) from None
        finally:
            listing.write()
    listing.say()
    if commands.wants_json():
        commands.emit([asdict(row) for row in batch.rows()])


def _batch(name: str, stop: threading.Event | None = None) -> ClaimableBatch:
    settings = resolve()
    check_enabled(settings)
    return ClaimableBatch(settings, name, _say, stop)


@contextmanager
def _stoppable(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C end the work after the present request, whose answer would be lost else."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        _say("Stopping after the present request; Ctrl-C again ends at once.")

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
