"""Where a row is in an order, as text for an address: whatever types its key has."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from neonup_studio.data.problem import DataProblem

LONGEST = 1000
"""Characters of a value that an address holds; of a longer one it holds whose it is."""


@dataclass(frozen=True)
class RowPlace:
    """A row's place in an order.

    Args:
        key: its key's values as Postgres writes them, or its ``ctid``.
        sorted_by: its value in the column that rows are sorted by; None: NULL.
        by_reference: whether that value is too long for an address, so that it is looked up.
    """

    key: tuple[str, ...]
    sorted_by: str | None = None
    by_reference: bool = False

    @property
    def text(self) -> str:
        """For an address."""
        return encoded([self.sorted_by, self.by_reference, *self.key])

    @classmethod
    def read(cls, text: str, length: int) -> RowPlace:
        """The place that an address names.

        Args:
            length: how many columns the key has.

        Raises:
            DataProblem: it names none.
        """
        values = _decoded(text)
        if len(values) < 2:
            raise _unknown()
        sorted_by, by_reference, *key = values
        if not isinstance(sorted_by, str | None) or not isinstance(by_reference, bool):
            raise _unknown()
        return cls(_key(key, length), sorted_by, by_reference)


def key_text(key: Sequence[str]) -> str:
    """A row's key for an address."""
    return encoded([*key])


def read_key(text: str, length: int) -> tuple[str, ...]:
    """The key that an address names.

    Args:
        length: how many columns the key has.

    Raises:
        DataProblem: it names none.
    """
    return _key(_decoded(text), length)


def _key(values: Sequence[object], length: int) -> tuple[str, ...]:
    if len(values) != length or not all(isinstance(value, str) for value in values):
        raise _unknown()
    return tuple(map(str, values))


def encoded(values: list[str | bool | None]) -> str:
    """A list as letters, digits, hyphens and underscores."""
    plain = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).rstrip(b"=").decode()


def _decoded(text: str) -> list[object]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        raise _unknown() from None
    if not isinstance(values, list):
        raise _unknown()
    return values


def _unknown() -> DataProblem:
    return DataProblem(
        "This address names no row of the table.",
        remedy="Begin with the first page: the table may have another key now.",
    )
