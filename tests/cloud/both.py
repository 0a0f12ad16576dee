"""One test for both drivers: `NeonClient`, and `AsyncNeonClient` in an event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from neonup_cloud import AsyncNeonClient, NeonClient
from tests.cloud.requests_checked import AsyncCheckedTransport, CheckedTransport

DRIVERS = ("blocking", "awaited")


class Both:
    """Runs an operation with one of the drivers: ``neon(lambda neon: neon.users.me())``.

    Lists are returned whole.
    """

    def __init__(self, driver: str, client: Any, finish: Callable[[Awaitable[Any]], Any]):
        self.driver = driver
        self.client = client
        self._finish = finish

    def __call__(self, ask: Callable[[NeonClient], Any]) -> Any:
        found = ask(self.client)
        if inspect.isawaitable(found):
            return self._finish(found)
        if hasattr(found, "__aiter__"):
            return self._finish(_whole(found))
        return list(found) if hasattr(found, "__next__") else found


async def _whole(found: Any) -> list[Any]:
    return [one async for one in found]


@contextmanager
def client(driver: str, base: str, key: str | None, **options: Any) -> Iterator[Both]:
    """A client whose requests are checked against Neon's OpenAPI document."""
    if driver == "blocking":
        with NeonClient(key, base_url=base, transport=CheckedTransport(), **options) as blocking:
            yield Both(driver, blocking, lambda found: found)
        return
    with asyncio.Runner() as runner:
        made = AsyncNeonClient(key, base_url=base, transport=AsyncCheckedTransport(), **options)
        try:
            yield Both(driver, made, lambda found: runner.run(_awaited(found)))
        finally:
            runner.run(made.aclose())


async def _awaited(found: Awaitable[Any]) -> Any:
    return await found
