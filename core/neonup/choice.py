"""Resolving what a person typed to one of several objects: by its id, or by its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from neonup.errors import NeonupError


class Named(Protocol):
    """What has an id, which is unique, and a name, which may not be."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def resolve_by_id_or_name(
    candidates: Iterable[N], text: str, *, plural: str, missing: NeonupError
) -> N:
    """The candidate whose id the text is, else the one that is called so.

    Args:
        candidates: all that may be meant.
        text: what was typed.
        plural: what several of them are called, e.g. ``snapshots``.
        missing: raised where no candidate has that id or name.

    Raises:
        NeonupError: none has it, or several have that name.
    """
    matching = [candidate for candidate in candidates if text in (candidate.id, candidate.name)]
    matching = [candidate for candidate in matching if candidate.id == text] or matching
    if not matching:
        raise missing
    if len(matching) > 1:
        raise NeonupError(
            f"{len(matching)} {plural} are called {text!r}.",
            checked=[candidate.id for candidate in matching],
            remedy="Name one by its id.",
        )
    return matching[0]
