"""Creating something once, although the answer may get lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from neonup.plugin.http import Call, Pause

from neonup_cloud.api.errors import AnswerLost, Conflict, UnusableAnswer

T = TypeVar("T")
LOOKS = (0.0, 0.5, 1.5)
"""Seconds before each look for what may have been created: it may take Neon a moment."""


def once(ask: Callable[[], Call[T]], look: Callable[[], Call[T | None]]) -> Call[T]:
    """Ask for something; where the answer is lost, look for it, and ask again if it is not there.

    Args:
        ask: the request. It names what it creates, so that Neon creates it only once (`Conflict`),
            or ``look`` finds it.
        look: what was created, if it is there.

    Raises:
        NeonError: Neon refused, or no answer arrived although it was asked several times.
    """
    lost = False
    for pause in LOOKS:
        try:
            return (yield from ask())
        except (AnswerLost, UnusableAnswer):
            lost = True
        except Conflict:
            if not lost:
                raise  # something else has the name
        yield Pause(pause)
        if (found := (yield from look())) is not None:
            return found
    return (yield from ask())
