"""Where the database is: `neonup.ensure` with what one `Neon` was told."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import neonup
from neonup import Arguments, Database


@dataclass(frozen=True)
class Source:
    """What finds, wakes or creates the database.

    Args:
        project: the project's folder; found from the current one where it is None.
        pooled: True: through the pooler, False: past it, None: as ``.env`` says.
        arguments: settings for `neonup.ensure`.
    """

    project: Path | str | None = None
    pooled: bool | None = None
    arguments: Arguments = field(default_factory=Arguments)

    def ensure(self) -> Database:
        """The database, answering; its ``url`` is the one to connect to."""
        return self._chosen(neonup.ensure(self.project, sign=reloading(), **self.arguments))

    async def aensure(self, *, create: bool = True) -> Database:
        """As `ensure`, without blocking the event loop.

        Args:
            create: False: none is created, for whoever only looks.
        """
        found = await neonup.aensure(
            self.project, sign=reloading(), create=create, **self.arguments
        )
        return self._chosen(found)

    def is_development(self) -> bool:
        """Whether a database might be created here."""
        return neonup.is_development(self.project, sign=reloading(), **self.arguments)

    def _chosen(self, database: Database) -> Database:
        if self.pooled is None:
            return database
        url = neonup.urls.pooled(database.url) if self.pooled else database.direct
        return database.with_(url=url)


def reloading() -> str | None:
    """What says that uvicorn reloads, where its command line does not: ``reload=True`` in code.

    uvicorn hands its configuration to the process that reloads, and to nobody else.
    """
    processes = sys.modules.get("multiprocessing.process")  # a child of it has it imported
    handed = getattr(processes and processes.current_process(), "_kwargs", {})
    return "uvicorn's reload" if getattr(handed.get("config"), "reload", False) is True else None
