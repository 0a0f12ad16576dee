"""One thing of several, by what a person typed: its id, or its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from neonup.errors import NeonupError


class Named(Protocol):
    """What has an id, which is unique, and a name, which may not be."""

    @property
    def id(self) -> str:
        """Unique."""

    @property
    def name(self) -> str:
        """What a person calls it."""


N = TypeVar("N", bound=Named)


def one_of(found: Iterable[N], text: str, *, plural: str, missing: NeonupError) -> N:
    """The one of an id, else of a name.

    Args:
        found: all that may be meant.
        text: what was typed.
        plural: what several of them are called, e.g. ``snapshots``.
        missing: raised where there is none.

    Raises:
        NeonupError: there is none, or several have that name.
    """
    meant = [one for one in found if text in (one.id, one.name)]
    meant = [one for one in meant if one.id == text] or meant
    if not meant:
        raise missing
    if len(meant) > 1:
        raise NeonupError(
            f"{len(meant)} {plural} are called {text!r}.",
            checked=[one.id for one in meant],
            remedy="Name one by its id.",
        )
    return meant[0]
