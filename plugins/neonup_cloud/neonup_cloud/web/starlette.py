"""`Account`: routes by which users of an application connect their own Neon accounts.

    account = Account(application, tokens)
    account.install(app)

It keeps what it needs on the way in Starlette's session, so that the application needs its
``SessionMiddleware``. What it takes comes with ``neonup[cloud,fastapi]``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_cloud import AsyncNeonClient, oauth
from neonup_cloud.web.connecting import AccountConnection, is_same_site


class Account(AccountConnection[Request]):
    """The users' accounts at Neon; its arguments are those of `AccountConnection`."""

    def install(self, app: Any, path: str = "/neon") -> None:
        """Add the routes to an application: ``POST path/connect`` and ``path/disconnect``, from
        forms of its own pages, and ``GET path/callback``."""
        # In front, since an application often ends with a route that takes everything.
        app.router.routes[:0] = [
            Route(f"{path}/connect", self._connect, methods=["POST"]),
            Route(f"{path}/callback", self._callback, methods=["GET"]),
            Route(f"{path}/disconnect", self._disconnect, methods=["POST"]),
        ]

    async def client(self, request: Request) -> AsyncIterator[AsyncNeonClient | None]:
        """A dependency: Neon's API on behalf of the user; None: no account is connected.

        Where the user has revoked it at Neon, its use raises `neonup_cloud.oauth.SignInEnded` once;
        afterwards no account is connected.
        """
        stored = await asyncio.to_thread(self.stored, request)
        if stored is None:
            yield None
            return
        store, tokens = stored
        auth = oauth.connected(self.application, store)
        async with AsyncNeonClient(auth=auth, base_url=self.base_url) as neon:
            try:
                yield neon
            except oauth.SignInEnded:
                await asyncio.to_thread(oauth.connect.drop, store, tokens)
                raise

    async def _connect(self, request: Request) -> Response:
        _refuse_other_sites(request)
        await self._store(request)
        return await self._redirect(self.begin, request.session)

    async def _callback(self, request: Request) -> Response:
        store = await self._store(request)
        answer = dict(request.query_params)
        return await self._redirect(self.complete, request.session, answer, store)

    async def _disconnect(self, request: Request) -> Response:
        _refuse_other_sites(request)
        store = await self._store(request)
        return await self._redirect(self.disconnect, store)

    async def _store(self, request: Request) -> oauth.TokenStore:
        store = await asyncio.to_thread(self.tokens, request)
        if store is None:
            raise HTTPException(401)
        return store

    @staticmethod
    async def _redirect(step: Callable[..., str], *arguments: Any) -> Response:
        return RedirectResponse(await asyncio.to_thread(step, *arguments), 303)


def _refuse_other_sites(request: Request) -> None:
    """Only the application's own pages may begin or end a connection."""
    if not is_same_site(request.headers):
        raise HTTPException(403)
