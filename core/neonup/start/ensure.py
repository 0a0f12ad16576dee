"""What applications call: one start, blocking or awaited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from neonup.database import Database
from neonup.settings import resolve
from neonup.start.flow import Start

if TYPE_CHECKING:
    from neonup.arguments import Arguments


def ensure(
    project: Path | str | None = None,
    *,
    sign: str | None = None,
    against: str | None = None,
    local_only: str | None = None,
    create: bool = True,
    **arguments: Unpack[Arguments],
) -> Database:
    """The project's database: found, woken, or created where this is development.

    Afterwards ``os.environ`` has its URL under the key, and ``.env`` records it. Any number of
    processes may call this at once and get the same database.

    Args:
        project: the project's folder; found from the current one where it is None.
        sign: what the caller knows that says "this is development", for adapters.
        against: what it knows that says the opposite, e.g. ``DEBUG is off``.
        local_only: why only a database on this machine may be created, e.g. for tests.
        create: False: none is created, whatever the settings allow; a stopped one is woken.
        arguments: settings; each wins over ``NEONUP_*`` and ``[tool.neonup]``.

    Raises:
        CreationForbidden: there is none, and none may be created here.
        DatabaseExpired: its time ran out, and nothing says to replace it.
        DatabaseGone: its data is lost, and none may be created.
        NeonupError: anything else that went wrong, with the remedy; see `neonup.errors`.
    """
    settings = resolve(project, **arguments)
    return Start(settings, sign, against, local_only, create=create).run()


async def aensure(
    project: Path | str | None = None,
    *,
    sign: str | None = None,
    against: str | None = None,
    local_only: str | None = None,
    create: bool = True,
    **arguments: Unpack[Arguments],
) -> Database:
    """As `ensure`, without blocking the event loop."""
    import asyncio

    settings = resolve(project, **arguments)
    start = Start(settings, sign, against, local_only, create=create)
    return await asyncio.to_thread(start.run)
