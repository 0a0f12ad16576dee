"""Pages of lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from neonup_emulator.api.v2.operations import RequestContext
from neonup_emulator.neon.errors import Refused


class Identified(Protocol):
    """What a list shows: each has an id, with which the next page begins."""

    @property
    def id(self) -> str:
        """Unique in the list."""


Item = TypeVar("Item", bound=Identified)
Rank = str | datetime


def page(
    call: RequestContext,
    items: list[Item],
    rank: Callable[[Item], Rank],
    *,
    descending: bool,
    default: int,
    largest: int,
) -> tuple[list[Item], str | None]:
    """The items behind the request's cursor, and the cursor of the next page.

    A cursor names a page's last item, and what it was sorted by: who deletes what a page has, and
    asks for the next one, must not miss any.

    Args:
        call: the request.
        items: all of them, in order.
        rank: what they are sorted by.
        descending: whether the largest comes first.
        default: how many are in a page where the request does not say.
        largest: how many it may ask for.

    Raises:
        Refused: the limit or the cursor is malformed.
    """
    limit = call.whole("limit", default, 1, largest)
    cursor = call.query.get("cursor")
    begin = 0
    if cursor:
        id, _, last = _decoded(cursor).partition("\n")  # noqa: A001
        begin = _behind(items, id, last, rank, descending)
    shown = items[begin : begin + limit]
    return shown, _encoded(f"{shown[-1].id}\n{_text(rank(shown[-1]))}") if shown else None


def _behind(
    items: list[Item],
    id: str,  # noqa: A002
    last: str,
    rank: Callable[[Item], Rank],
    descending: bool,
) -> int:
    """The index of the first item after a page's last one, which may have been deleted."""
    for place, item in enumerate(items):
        if item.id == id:
            return place + 1
    for place, item in enumerate(items):
        text = _text(rank(item))
        if text < last if descending else text > last:
            return place
    return len(items)


def _text(rank: Rank) -> str:
    """The rank as text, in which it sorts in the same order."""
    return rank.isoformat(timespec="microseconds") if isinstance(rank, datetime) else rank


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decoded(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refused("invalid parameter cursor") from None
