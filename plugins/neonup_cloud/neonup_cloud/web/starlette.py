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
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_cloud import AsyncNeonClient, oauth
from neonup_cloud.web.connecting import Connection


class Account:
    """The users' accounts at Neon.

    Args:
        application: as it is registered at Neon; its redirect URI ends with ``/callback``.
        tokens: the place of the tokens of whoever makes a request; None: it is nobody who may
            connect an account. It may block.
        after: where users are sent when something is done; with ``?neon=``: ``connected``,
            ``denied`` (by themselves), ``disconnected`` or ``failed``.
        base_url: of Neon's API; as `neonup_cloud.NeonClient` finds it if None.
    """

    def __init__(
        self,
        application: oauth.Application,
        tokens: Callable[[Request], oauth.TokenStore | None],
        *,
        after: str = "/",
        base_url: str | None = None,
    ):
        self._application = application
        self._tokens = tokens
        self._connection = Connection(application, after)
        self._base_url = base_url

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
        store = await asyncio.to_thread(self._tokens, request)
        tokens = None if store is None else await asyncio.to_thread(store.load)
        if store is None or tokens is None:
            yield None
            return
        auth = oauth.connected(self._application, store)
        async with AsyncNeonClient(auth=auth, base_url=self._base_url) as neon:
            try:
                yield neon
            except oauth.SignInEnded:
                await asyncio.to_thread(oauth.connect.drop, store, tokens)
                raise

    async def _connect(self, request: Request) -> Response:
        _refuse_other_sites(request)
        await self._store(request)
        return await self._redirect(self._connection.begin, request.session)

    async def _callback(self, request: Request) -> Response:
        store = await self._store(request)
        answer = dict(request.query_params)
        return await self._redirect(self._connection.complete, request.session, answer, store)

    async def _disconnect(self, request: Request) -> Response:
        _refuse_other_sites(request)
        store = await self._store(request)
        return await self._redirect(self._connection.disconnect, store)

    async def _store(self, request: Request) -> oauth.TokenStore:
        store = await asyncio.to_thread(self._tokens, request)
        if store is None:
            raise HTTPException(401)
        return store

    @staticmethod
    async def _redirect(step: Callable[..., str], *arguments: Any) -> Response:
        return RedirectResponse(await asyncio.to_thread(step, *arguments), 303)


def _refuse_other_sites(request: Request) -> None:
    """Only the application's own pages may begin or end a connection."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not ours or site not in {"same-origin", "none"}:
        raise HTTPException(403)
