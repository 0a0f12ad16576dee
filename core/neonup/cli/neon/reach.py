"""What the commands share: the client, and which project, branch, snapshot and moment is meant."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click
import msgspec

from neonup.cli import output
from neonup.errors import NeonupError, SettingsError
from neonup.neon import NeonClient
from neonup.neon.answers import Answer, Branch, Operation, Snapshot
from neonup.settings import resolve
from neonup.start.lookup import find_database

F = TypeVar("F", bound=Callable[..., Any])
Named = TypeVar("Named", Branch, Snapshot)

_LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
_AGO = re.compile(r"(\d+)\s*(s|m|h|d|w)(?:\s+ago)?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

project_option = click.option(
    "--project", metavar="ID", help="The project; the one that .env points at if none is named."
)
org_option = click.option(
    "--org", metavar="ID", envvar="NEON_ORG_ID", help="The organization (NEON_ORG_ID)."
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@contextmanager
def neon() -> Iterator[NeonClient]:
    """A client of the account that is set up: see `neonup.neon.access`."""
    with NeonClient() as client:
        yield client


def project_id(given: str | None) -> str:
    """The project that is meant: as given, else of ``NEON_PROJECT_ID``, else of ``.env``.

    Raises:
        NeonupError: none is.
    """
    if found := given or os.environ.get("NEON_PROJECT_ID"):
        return found
    database = find_database(resolve(None))
    if database is not None and database.provider == "account" and database.id:
        return database.id.partition("/")[0]
    told = "it has no database" if database is None else f"its database is {database.provider}'s"
    raise NeonupError(
        "Which Neon project is meant?",
        checked=("--project, NEON_PROJECT_ID", f"this project: {told}"),
        remedy="Name it: --project ID. `neonup projects list` shows yours.",
    )


def branch(client: NeonClient, project: str, named: str | None) -> Branch:
    """A branch by its id or name; the default one if none is named.

    Raises:
        NeonupError: there is none, or several have that name.
    """
    found = list(client.branches.list(project))
    if named is None:
        return next(one for one in found if one.default)
    return _the_one(found, named, "branch")


def snapshot(client: NeonClient, project: str, named: str) -> Snapshot:
    """A snapshot by its id or name.

    Raises:
        NeonupError: there is none, or several have that name.
    """
    return _the_one(list(client.snapshots.list(project)), named, "snapshot")


def _the_one(found: list[Named], named: str, what: str) -> Named:
    meant = [one for one in found if one.id == named] or [one for one in found if one.name == named]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise NeonupError(
            f"Several are called {named!r}: name one by its id.",
            checked=[f"{one.id}, created {shown(one.created_at)}" for one in meant],
        )
    raise NeonupError(
        f"There is no {what} {named!r}.",
        checked=[f"{one.id}  {one.name}" for one in found[:10]] or ["there are none"],
    )


def moment(text: str | None) -> dict[str, Any]:
    """A moment as people write it, for ``timestamp`` or ``lsn``: a time, ``5m``, or an LSN.

    Raises:
        SettingsError: it is none of these.
    """
    if text is None:
        return {}
    if _LSN.fullmatch(text):
        return {"lsn": text}
    if _AGO.fullmatch(text):
        return {"timestamp": datetime.now(UTC) - length(text)}
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{text!r} is no moment.",
            remedy="Give a time (2026-11-25T12:00:00Z), how long ago (5m, 2h, 1d), or an LSN.",
        ) from None
    return {"timestamp": found if found.tzinfo else found.astimezone()}


def length(text: str) -> timedelta:
    """A length of time as people write it: ``30s``, ``5m``, ``2h``, ``7d``, ``1w``.

    Raises:
        SettingsError: it is none.
    """
    found = _AGO.fullmatch(text)
    if found is None:
        raise SettingsError(f"{text!r} is no length of time.", remedy="Give e.g. 5m, 2h or 7d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def finish(client: NeonClient, operations: Iterable[Operation], what: str) -> None:
    """Wait until what was begun is done, and say so to a person."""
    output.progress(what)
    client.operations.wait(operations)


def plain(answer: Answer | list[Any]) -> Any:
    """An answer as plain data, for ``--json``."""
    return msgspec.to_builtins(answer)


def shown(time: datetime | None) -> str | None:
    """A time for a person: UTC, to the minute."""
    return None if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def human(size: float | None) -> str | None:
    """Bytes for a person."""
    if size is None:
        return None
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
