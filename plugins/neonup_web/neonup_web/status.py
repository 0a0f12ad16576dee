"""`StatusPages`: a health check, and in development a page of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from neonup import Database, NeonupError
from neonup_web import studio
from neonup_web.connections import Connections
from neonup_web.page import render_page
from neonup_web.queries import read_only
from neonup_web.requests import is_local
from neonup_web.response import WebResponse
from neonup_web.studio import StudioHint
from neonup_web.summary import DatabaseSummary, summarize

HEALTH_SECONDS = 5.0
"""How long the database may take to answer before it counts as down."""


class StatusPages:
    """What an adapter serves of its own; a blocking framework calls it by ``asyncio.run``.

    Args:
        connections: the application's; they lead to the database, but are not used themselves.
    """

    def __init__(self, connections: Connections):
        self._connections = connections
        self._checks: dict[asyncio.AbstractEventLoop, asyncio.Task[str | None]] = {}

    async def health(self) -> WebResponse:
        """Status 200 if the database answers, else 503 with the error's code."""
        loop = asyncio.get_running_loop()
        if loop not in self._checks:  # requests meanwhile share it: one connection is enough
            self._checks[loop] = loop.create_task(self._check())
            self._checks[loop].add_done_callback(lambda _: self._checks.pop(loop))
        error = await asyncio.shield(self._checks[loop])
        if error is not None:
            return WebResponse.json({"status": "unavailable", "error": error}, 503)
        return WebResponse.json({"status": "ok"}, 200)

    async def page(self, client: str | None, headers: Mapping[str, str]) -> WebResponse | None:
        """The page; None: this is for nobody else than a developer on this machine.

        What None becomes should look like any address that does not exist: a 404.

        Args:
            client: the address of who is connected, as the server knows it; None: unknown.
            headers: of the request.
        """
        is_development = self._connections.source.is_development
        if not is_local(client, headers) or not await asyncio.to_thread(is_development):
            return None
        seen = await self._inspect()
        return render_page(*seen, studio=await asyncio.to_thread(self._studio))

    def _studio(self) -> StudioHint | None:
        try:
            return studio.hint(self._connections.source.settings())
        except NeonupError:  # the page says it of the database
            return None

    async def _check(self) -> str | None:
        """Why the database does not answer, in a word for programs; None if it does."""
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                database = await self._connections.database_in_use()
                async with read_only(self._connections.source, database) as query:
                    await query("SELECT 1")
        except NeonupError as error:
            return error.code
        except Exception:  # each driver has its own
            return "database_unavailable"
        return None

    async def _inspect(
        self,
    ) -> tuple[Database | None, DatabaseSummary | None, NeonupError | None]:
        database = None
        try:
            async with asyncio.timeout(2 * HEALTH_SECONDS):
                database = await self._connections.database_in_use()
                async with read_only(self._connections.source, database) as query:
                    return database, await summarize(query), None
        except NeonupError as error:
            return database, None, error
        except TimeoutError:
            return database, None, NeonupError(f"No answer within {2 * HEALTH_SECONDS:g} seconds.")
        except Exception as error:  # each driver has its own
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            return database, None, NeonupError(f"{reason}.".replace("..", "."))
