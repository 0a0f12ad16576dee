"""How an operation is defined once for the blocking and the awaited client.

An operation is a method that returns a `Call` or `Pages`, and so does no input or output. Read from
the group of a `NeonClient` it blocks, from that of an `AsyncNeonClient` it is awaited. From a group
without a sender it is the `Call` itself: so operations are made of others, with ``yield from``.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from neonup.plugin.http import Call, Sender, drive
from neonup_cloud.api.awaited import AsyncSender, adrive
from neonup_cloud.api.errors import UnusableAnswer
from neonup_cloud.api.requests import Api, Pages

S = TypeVar("S", bound=Sender | AsyncSender | None)
P = ParamSpec("P")
T = TypeVar("T")


class ApiGroup(Generic[S]):
    """Operations on one kind of thing.

    Args:
        api: makes their calls.
        sender: sends the requests of those: blocking or awaited; None: they stay calls.
    """

    def __init__(self, api: Api, sender: S):
        self.api = api
        self.sender = sender


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """One operation: called, it returns its answer, or an awaitable of it."""

    def __init__(self, define: Callable[Concatenate[Any, P], Call[T]]):
        self._define = define
        functools.update_wrapper(self, define)  # type: ignore[arg-type]

    @overload
    def __get__(self, group: ApiGroup[Sender], owner: object) -> Callable[P, T]: ...
    @overload
    def __get__(self, group: ApiGroup[AsyncSender], owner: object) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, group: ApiGroup[None], owner: object) -> Callable[P, Call[T]]: ...
    @overload
    def __get__(self, group: None, owner: object) -> operation[P, T]: ...

    def __get__(self, group: ApiGroup[Any] | None, owner: object) -> Any:
        if group is None:
            return self
        define, sender = self._define, group.sender

        @functools.wraps(define)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            calls = define(group, *args, **kwargs)
            if sender is None:
                return calls
            return (
                adrive(calls, sender) if isinstance(sender, AsyncSender) else drive(calls, sender)
            )

        return call


class listing(Generic[P, T]):  # noqa: N801 - a decorator
    """A list: called, it returns an iterator over all its pages, asked for as they are needed; in a
    call, all of it."""

    def __init__(self, define: Callable[Concatenate[Any, P], Pages[T]]):
        self._define = define
        functools.update_wrapper(self, define)  # type: ignore[arg-type]

    @overload
    def __get__(self, group: ApiGroup[Sender], owner: object) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(
        self, group: ApiGroup[AsyncSender], owner: object
    ) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, group: ApiGroup[None], owner: object) -> Callable[P, Call[list[T]]]: ...
    @overload
    def __get__(self, group: None, owner: object) -> listing[P, T]: ...

    def __get__(self, group: ApiGroup[Any] | None, owner: object) -> Any:
        if group is None:
            return self
        define, sender = self._define, group.sender

        @functools.wraps(define)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            pages = define(group, *args, **kwargs)
            if sender is None:
                return _whole(pages)
            if isinstance(sender, AsyncSender):
                return _aiterate(pages, sender)
            return _iterate(pages, sender)

        return call


def _whole(pages: Pages[T]) -> Call[list[T]]:
    items: list[T] = []
    cursor = None
    seen: set[str] = set()
    while True:
        listed, cursor = yield from pages.page(cursor)
        items += listed
        if cursor is None:
            return items
        _remember(seen, cursor)


def _iterate(pages: Pages[T], sender: Sender) -> Iterator[T]:
    cursor = None
    seen: set[str] = set()
    while True:
        listed, cursor = drive(pages.page(cursor), sender)
        yield from listed
        if cursor is None:
            return
        _remember(seen, cursor)


async def _aiterate(pages: Pages[T], sender: AsyncSender) -> AsyncIterator[T]:
    cursor = None
    seen: set[str] = set()
    while True:
        listed, cursor = await adrive(pages.page(cursor), sender)
        for item in listed:
            yield item
        if cursor is None:
            return
        _remember(seen, cursor)


def _remember(seen: set[str], cursor: str) -> None:
    """Refuse a cursor that was used before: the pages would never end."""
    if cursor in seen:
        raise UnusableAnswer("Neon: the pages of a list lead back to an earlier one.")
    seen.add(cursor)
