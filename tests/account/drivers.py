"""Asking through either client, so that a test is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from neonup.neon import AsyncNeonClient, NeonClient
from tests.account.checked import AsyncChecked, Checked

Ask = Callable[[Callable[[Any], Any]], Any]
"""Calls something on a client and returns the answer; a list's whole pages as a list."""
Driver = Callable[..., AbstractContextManager[Ask]]
"""Opens a client of a base URL and a key."""


@contextmanager
def blocking(base: str, key: str = "k", **options: Any) -> Iterator[Ask]:
    with NeonClient(key, base_url=base, transport=Checked(), **options) as client:

        def ask(what: Callable[[Any], Any]) -> Any:
            found = what(client)
            return list(found) if isinstance(found, Iterator) else found

        yield ask


@contextmanager
def awaited(base: str, key: str = "k", **options: Any) -> Iterator[Ask]:
    with asyncio.Runner() as runner:
        client = AsyncNeonClient(key, base_url=base, transport=AsyncChecked(), **options)
        yield lambda what: runner.run(_resolved(what(client)))
        runner.run(client.aclose())


async def _resolved(found: Awaitable[Any] | AsyncIterator[Any]) -> Any:
    if isinstance(found, AsyncIterator):
        return [one async for one in found]
    return await found


DRIVERS: dict[str, Driver] = {"blocking": blocking, "awaited": awaited}
