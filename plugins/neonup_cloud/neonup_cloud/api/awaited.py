"""Requests that are awaited: their definitions are those that are sent blocking as well."""

from __future__ import annotations

from typing import TypeVar

import httpx

from neonup.plugin.http import (
    Call,
    Failure,
    LimitedBody,
    Pause,
    Request,
    Response,
    client_options,
    failure_of,
)

T = TypeVar("T")


class AsyncSender:
    """Sends requests in asyncio's event loop; its parameters are those of the core's `Sender`."""

    def __init__(
        self,
        timeout: float,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        largest_body: int,
    ):
        self._timeout = timeout
        self._more = {"auth": auth, "transport": transport}
        self._largest = largest_body
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()

    async def send(self, request: Request) -> Response | Failure:
        """The whole answer, or why there is none."""
        import asyncio  # a blocking client need not wait for it

        try:
            if self._client is None:
                options = client_options(request.url, self._timeout) | self._more
                self._client = httpx.AsyncClient(**options)
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(
                    request.method,
                    request.url,
                    json=request.body,
                    data=request.form,
                    headers=request.headers,
                ) as response,
            ):
                body = LimitedBody(response, self._largest)
                async for chunk in response.aiter_raw():
                    body.add(chunk)
                return body.response()
        except TimeoutError as error:
            return failure_of(error, self._timeout, self._largest, late=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return failure_of(error, self._timeout, self._largest, late=False)


async def adrive(call: Call[T], sender: AsyncSender) -> T:
    """As `neonup.plugin.http.drive`, awaited in asyncio's event loop."""
    import asyncio

    reply: Response | Failure | None = None
    try:
        while True:
            step = call.send(reply)
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                reply = None
            else:
                reply = await sender.send(step)
    except StopIteration as stop:
        result: T = stop.value
        return result
