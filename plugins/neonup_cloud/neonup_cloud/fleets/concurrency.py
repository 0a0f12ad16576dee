"""Run a function over items with bounded concurrency, in threads or in tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from neonup import SettingsError
from neonup.plugin.progress import HowFar, work

I = TypeVar("I")  # noqa: E741 - an item
T = TypeVar("T")


def run(items: Iterable[I], do: Callable[[I], T], concurrency: int, *, what: str) -> list[T]:
    """Call a function with each item in threads, and return its results in the items' order.

    Where a call raises, those that run are awaited, and no other is begun.

    Args:
        concurrency: how many calls run at once.
        what: what they do, for a person who watches.
    """
    with ThreadPoolExecutor(checked(concurrency), thread_name_prefix="neonup-fleet") as pool:
        futures = [pool.submit(do, item) for item in items]

        def how_far() -> HowFar:
            done = sum(future.done() for future in futures)
            return HowFar(done, len(futures), f"{done} of {len(futures)}")

        try:
            with work(what, how_far):
                wait(futures, return_when=FIRST_EXCEPTION)
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


async def arun(items: Iterable[I], do: Callable[[I], Awaitable[T]], concurrency: int) -> list[T]:
    """As `run`, awaited: in tasks of the event loop."""
    free = asyncio.Semaphore(checked(concurrency))

    async def limited(item: I) -> T:
        async with free:
            return await do(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(limited(item)) for item in items]
    return [task.result() for task in tasks]


def checked(concurrency: int) -> int:
    """Validate a concurrency, and return it.

    Raises:
        SettingsError: it is below 1.
    """
    if concurrency < 1:
        raise SettingsError(f"The concurrency cannot be {concurrency}.", remedy="Use 1 or more.")
    return concurrency
