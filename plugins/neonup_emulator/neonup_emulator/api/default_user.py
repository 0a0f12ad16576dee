"""What only the user who serves may do: it takes the default user's key.

Any program of this machine can reach the server. The default user's key is in the file
``neon/api-key`` of neonup's home, which nobody but the serving user can read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, Refused

Handler = Callable[[Request], Awaitable[JSONResponse]]


def bearer(request: Request) -> str:
    """The key that a request was sent with; empty where it has none."""
    return request.headers.get("authorization", "").partition(" ")[2].strip()


def check(neon: LocalNeon, key: str) -> None:
    """Refuse a key that is not one of the default user's own.

    Raises:
        Unauthorized: it is nobody's key.
        Forbidden: it is somebody else's, or an organization's.
    """
    caller = neon.identity.caller(key)
    if caller.method != "api_key_user" or caller.user != neon.people.users()[0]:
        raise Forbidden("that takes the default user's key: the one in neon/api-key of the home")


def only(handler: Handler) -> Handler:
    """Let a handler answer the default user alone."""

    async def answer(request: Request) -> JSONResponse:
        try:
            await to_thread.run_sync(check, request.app.state.neon, bearer(request))
        except Refused as refused:
            return JSONResponse({"message": refused.message}, refused.status)
        return await handler(request)

    return answer
