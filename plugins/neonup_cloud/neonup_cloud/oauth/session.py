"""Access tokens that are renewed in time: one renewal at a time, and no token is lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator

import httpx

from neonup_cloud.oauth.application import Application
from neonup_cloud.oauth.errors import SignInEnded
from neonup_cloud.oauth.tokens import Tokens, TokenStore

GONE = "Nobody is signed in at Neon any more."


class TokenSession:
    """The tokens of one connection, renewed as needed.

    Args:
        application: who asks.
        store: where the tokens are.
    """

    def __init__(self, application: Application, store: TokenStore):
        self._application = application
        self._store = store
        self._known: Tokens | None = None

    def access_token(self, *, rejected: str | None = None) -> str:
        """An access token that can be used now.

        Args:
            rejected: one that the API does not take any more, whatever its time.

        Raises:
            SignInEnded: the sign-in has ended.
            NeonError: the OAuth server cannot be reached, or failed.
            SignInError: the store failed.
        """
        known = self._known
        if known is None or not _usable(known, rejected):
            known = self._store.load()
            if known is None:
                raise SignInEnded(GONE, remedy=self._application.again)
            if not _usable(known, rejected):
                known = self._renewed(rejected)
            self._known = known
        return known.access_token

    def _renewed(self, rejected: str | None) -> Tokens:
        """Renew in a thread of its own, which Ctrl-C does not reach and the end of the program
        waits for: interrupted between answer and store, the new refresh token would be lost."""
        done: list[Tokens] = []
        failed: list[BaseException] = []
        ended = threading.Event()

        def renew() -> None:
            try:
                done.append(self._renew(rejected))
            except BaseException as error:  # it goes on in the caller's thread
                failed.append(error)
            finally:
                ended.set()

        threading.Thread(target=renew, name="neonup-refresh", daemon=False).start()
        # Not join(): interrupted in that, CPython before 3.13 takes the thread for ended, and at
        # its own end does not wait for it any more.
        ended.wait()
        if failed:
            raise failed[0]
        return done[0]

    def _renew(self, rejected: str | None) -> Tokens:
        from neonup_cloud.oauth.protocol import OAuthProtocol

        with self._store.lock():
            known = self._store.load()  # somebody else may have renewed it meanwhile
            if known is None:
                raise SignInEnded(GONE, remedy=self._application.again)
            if _usable(known, rejected):
                return known
            if known.refresh_token is None:
                raise SignInEnded(
                    "The access to Neon has ended, and was allowed without renewal.",
                    remedy=self._application.again,
                )
            with OAuthProtocol(self._application) as protocol:
                protocol.endpoints()
                self._store.save(known)  # a full disk is found before the refresh token is used up
                fresh = protocol.refresh(known)
            self._store.save(fresh)
            return fresh


def _usable(tokens: Tokens, rejected: str | None) -> bool:
    return tokens.is_fresh and tokens.access_token != rejected


class SessionAuth(httpx.Auth):
    """Adds a fresh access token to requests, for blocking and asynchronous clients of httpx.

    A token that ends in the middle of a command is renewed, and the request sent again, once.

    Args:
        session: where the tokens come from.
    """

    def __init__(self, session: TokenSession):
        self._session = session

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx."""
        token = self._session.access_token()
        response = yield _with(request, token)
        if response.status_code == 401:
            yield _with(request, self._session.access_token(rejected=token))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx; blocking work is done in a thread."""
        token = await asyncio.to_thread(self._session.access_token)
        response = yield _with(request, token)
        if response.status_code == 401:
            token = await asyncio.to_thread(self._session.access_token, rejected=token)
            yield _with(request, token)


def _with(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["authorization"] = f"Bearer {token}"
    return request


def connected(application: Application, store: TokenStore) -> SessionAuth:
    """Credentials for a `NeonClient` that acts for the user whose tokens are in the store."""
    return SessionAuth(TokenSession(application, store))
