"""Create something once, although the answer to the request may be lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from neonup.plugin.http import Call, Pause
from neonup_cloud.api.errors import AnswerLost, Conflict, NeonError, UnusableAnswer

T = TypeVar("T")
LOOKS = (0.0, 0.5, 1.5)
"""Seconds before each look for what may have been created: it may take Neon a moment."""


def create_once(
    request: Callable[[], Call[T]],
    look: Callable[[], Call[T | None]],
    *,
    repeatable: bool,
    requested_before: bool = False,
) -> Call[T]:
    """Send a request that creates something; where its answer is lost, look for the result.

    Args:
        request: creates it.
        look: finds what was created; None if there is nothing.
        repeatable: whether the request may be sent again where nothing is found, because Neon
            creates it only once (`Conflict`), or ``look`` finds each that was created.
        requested_before: whether an earlier process may have sent the request, so that a
            `Conflict` means that it was carried out.

    Raises:
        NeonError: Neon refused, or the answer was lost and nothing was found. In the second case
            it is an `AnswerLost`, `UnusableAnswer` or, if it was requested before, `Conflict`.
    """
    lost: NeonError | None = None
    for pause in LOOKS:
        if lost is None or repeatable:
            try:
                return (yield from request())
            except (AnswerLost, UnusableAnswer) as error:
                lost = error
            except Conflict as error:
                if lost is None and not requested_before:
                    raise  # something else has the name
                lost = error
        yield Pause(pause)
        if (created := (yield from look())) is not None:
            return created
    if repeatable or lost is None:
        return (yield from request())
    raise lost


def look_repeatedly(look: Callable[[], Call[T | None]]) -> Call[T | None]:
    """Look for what an earlier process may have created; None if it does not appear."""
    for pause in LOOKS:
        yield Pause(pause)
        if (created := (yield from look())) is not None:
            return created
    return None
