"""`DatabaseSource`: `neonup.ensure` with what an adapter knows of its framework."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import neonup
from neonup import Arguments, Database, Settings


@dataclass(frozen=True)
class Signs:
    """What a framework says about where it runs; `neonup.ensure` decides by it.

    Args:
        sign: what says that this is development, e.g. ``Flask's debug mode``.
        against: what says that it is not.
        local_only: why only a database on this machine may be created.
    """

    sign: str | None = None
    against: str | None = None
    local_only: str | None = None


def uvicorn_signs() -> Signs:
    """What says that uvicorn reloads, where its command line does not: ``reload=True`` in code.

    uvicorn hands its configuration to the process that reloads, and to nobody else.
    """
    processes = sys.modules.get("multiprocessing.process")  # a child of it has it imported
    arguments = getattr(processes and processes.current_process(), "_kwargs", {})
    reloads = getattr(arguments.get("config"), "reload", False) is True
    return Signs("uvicorn's reload" if reloads else None)


@dataclass(frozen=True)
class DatabaseSource:
    """Finds, wakes or creates the database.

    Args:
        project: the project's folder; found from the current one where it is None.
        pooled: True: through the pooler, False: past it, None: as ``.env`` says.
        arguments: settings for `neonup.ensure`.
        signs: asks the framework; called at each start, when its settings are final.
    """

    project: Path | str | None = None
    pooled: bool | None = None
    arguments: Arguments = field(default_factory=Arguments)
    signs: Callable[[], Signs] = Signs

    def ensure(self) -> Database:
        """The database, answering; its ``url`` is the one to connect to.

        Raises:
            NeonupError: there is none; see `neonup.ensure`.
        """
        signs = self.signs()
        return self._choose_url(
            neonup.ensure(
                self.project,
                sign=signs.sign,
                against=signs.against,
                local_only=signs.local_only,
                **self.arguments,
            )
        )

    async def aensure(self, *, create: bool = True) -> Database:
        """As `ensure`, without blocking the event loop.

        Args:
            create: False: none is created, for whoever only looks.
        """
        signs = self.signs()
        return self._choose_url(
            await neonup.aensure(
                self.project,
                sign=signs.sign,
                against=signs.against,
                local_only=signs.local_only,
                create=create,
                **self.arguments,
            )
        )

    def settings(self) -> Settings:
        """The project's settings.

        Raises:
            NeonupError: they cannot be used.
        """
        return neonup.resolve(self.project, **self.arguments)

    def is_development(self) -> bool:
        """Whether `ensure` may create a database here."""
        signs = self.signs()
        return neonup.is_development(
            self.project, sign=signs.sign, against=signs.against, **self.arguments
        )

    def _choose_url(self, database: Database) -> Database:
        if self.pooled is None:
            return database
        url = neonup.urls.pooled(database.url) if self.pooled else database.direct
        return database.with_(url=url)
