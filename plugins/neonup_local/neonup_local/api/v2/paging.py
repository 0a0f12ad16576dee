"""Pages of lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TypeVar

from neonup_local.api.v2.operations import Call
from neonup_local.neon.errors import Refused

Item = TypeVar("Item")


def page(
    call: Call, items: list[Item], key: Callable[[Item], str], *, default: int, largest: int
) -> tuple[list[Item], str | None]:
    """The items behind the request's cursor, and the cursor of the next page.

    Args:
        items: all of them, in order.
        key: what names an item; a cursor holds that of a page's last one.
        default: how many are in a page where the request does not say.
        largest: how many it may ask for.
    """
    limit = call.limit(default, largest)
    begin = 0
    cursor = call.query.get("cursor")
    if cursor:
        names = [key(item) for item in items]
        name = _decoded(cursor)
        begin = names.index(name) + 1 if name in names else len(items)
    found = items[begin : begin + limit]
    return found, _encoded(key(found[-1])) if found else None


def _encoded(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decoded(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        raise Refused("invalid parameter cursor") from None
