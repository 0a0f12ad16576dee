"""What an agent may have before its project is claimed, and what its tokens may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

READ = "postgres.read"
WRITE = "postgres.write"

_ALL = ("postgres", "data_api", "auth", "storage", "functions", "ai_gateway")
_SCOPES = {"postgres": (READ, WRITE)}
_NONE_HERE = {"data_api": "Data API", "auth": "Neon Auth"}
_AFTER_CLAIM = {
    "storage": "object storage",
    "functions": "functions",
    "ai_gateway": "the AI gateway",
}
SCOPES = (READ, WRITE)
"""All that tokens of this local Neon can have."""


@dataclass(frozen=True)
class Decision:
    """Whether an agent has a capability.

    Args:
        reason: a word for programs where it has not: `requires_claim`, `not_available` (the local
            Neon has no such service) or `unknown_capability`.
        message: the reason for people.
    """

    capability: str
    granted: bool
    reason: str | None = None
    message: str | None = None


def decide(requested: Iterable[str]) -> list[Decision]:
    """A decision for each capability that was asked for, and for Postgres, in a fixed order."""
    asked = {"postgres", *requested}
    known = [capability for capability in _ALL if capability in asked]
    return [_decide(capability) for capability in [*known, *sorted(asked - set(_ALL))]]


def scopes(granted: Iterable[str]) -> list[str]:
    """What the tokens of an agent with these capabilities may do."""
    return [scope for capability in granted for scope in _SCOPES.get(capability, ())]


def _decide(capability: str) -> Decision:
    if capability in _SCOPES:
        return Decision(capability, granted=True)
    if capability in _NONE_HERE:
        # At Neon it would be granted. Here it would be a promise with nothing behind it.
        message = f"This local Neon has no {_NONE_HERE[capability]}; its projects have Postgres."
        return Decision(capability, granted=False, reason="not_available", message=message)
    if capability in _AFTER_CLAIM:
        message = f"A project has {_AFTER_CLAIM[capability]} only once it has been claimed."
        return Decision(capability, granted=False, reason="requires_claim", message=message)
    message = f"There is no such capability. There are: {', '.join(_ALL)}."
    return Decision(capability, granted=False, reason="unknown_capability", message=message)
