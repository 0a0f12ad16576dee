"""The same for many, some of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from neonup import SettingsError

I = TypeVar("I")  # noqa: E741 - an item
T = TypeVar("T")


def run(items: Iterable[I], do: Callable[[I], T], concurrency: int) -> list[T]:
    """What came of each item, in their order, in threads.

    Where one raises, what is under way is awaited, and the rest is not begun.

    Args:
        concurrency: how many are under way at once.
    """
    with ThreadPoolExecutor(checked(concurrency), thread_name_prefix="neonup-fleet") as pool:
        futures = [pool.submit(do, item) for item in items]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


async def arun(items: Iterable[I], do: Callable[[I], Awaitable[T]], concurrency: int) -> list[T]:
    """The same in tasks of the event loop."""
    free = asyncio.Semaphore(checked(concurrency))

    async def one(item: I) -> T:
        async with free:
            return await do(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


def checked(concurrency: int) -> int:
    """A number of things at once.

    Raises:
        SettingsError: it is none.
    """
    if concurrency < 1:
        raise SettingsError(f"The concurrency cannot be {concurrency}.", remedy="Use 1 or more.")
    return concurrency
