"""Moving projects between organizations in steps that can be resumed after a crash.

    1. A project's name says which tier it is to have, and that this is not done: its organization
       is not that tier's. What of its settings the other organization may not allow is lowered.
    2. The project is transferred: its name still says that its settings are not the tier's.
    3. The tier's settings, and the name of a project that has them.

So each interrupted change can be recognized from Neon's data alone, and resumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from neonup.plugin.http import Call
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import (
    AnswerLost,
    Conflict,
    Forbidden,
    Invalid,
    Locked,
    NeonError,
    NotFound,
    UnusableAnswer,
)
from neonup_cloud.fleets import Register, Tier, UserProject

BATCH = 400
"""Projects that one request moves at most (OpenAPI document, `transferProjectsFromOrgToOrg`)."""
_TRIES = 3
"""How often a transfer is requested whose answer is lost."""
_ONE_IS_ENOUGH = (Conflict, Invalid, Locked, NotFound)
"""Errors that one project can cause for a request that moves many."""
_KEY = (
    "Use a personal API key, of somebody who is in both organizations and may move projects; an "
    "organization's key is refused by Neon."
)


@dataclass(frozen=True)
class TransferRoute:
    """The ids of the organizations that projects move from and to."""

    source: str
    destination: str


def check_key(neon: Groups[None]) -> Call[None]:
    """Refuse a key that cannot move projects, before anything is changed.

    Raises:
        Forbidden: it is an organization's, which has no user.
    """
    try:
        yield from neon.users.me()
    except NotFound:
        raise _wrong_key() from None


def mark(register: Register, project: UserProject, tier: Tier) -> Call[UserProject]:
    """Write the new tier into a project's name, and lower the settings that its organization may
    not allow. Safe to repeat after a crash."""
    neon, label = register.neon, replace(project.label, tier=tier.name, changing=True)
    answer = yield from neon.projects.get(project.project_id)
    history = answer.history_retention_seconds
    if history is not None:
        history = min(history, tier.history_retention_seconds or history)
    yield from neon.projects.update(
        project.project_id,
        name=register.naming.name(label),
        history_retention_seconds=history,
        default_endpoint_settings=lowered(tier, answer.default_endpoint_settings) or None,
    )
    endpoints = yield from neon.endpoints.list(project.project_id)
    for endpoint in endpoints:
        now = {name: getattr(endpoint, name) for name in tier.compute}
        changes: dict[str, Any] = {
            name: value for name, value in lowered(tier, now).items() if value != now[name]
        }
        if changes:
            changed = yield from neon.endpoints.update(project.project_id, endpoint.id, **changes)
            yield from neon.operations.wait(changed.operations)
    return replace(project, label=label)


def lowered(tier: Tier, now: Mapping[str, Any]) -> dict[str, Any]:
    """Compute settings that both organizations allow: for each the smaller value."""
    settings = {}
    for name, wanted in tier.compute.items():
        value = now.get(name)
        if value is None:
            continue
        if wanted is None:
            settings[name] = value
        elif name == "suspend_timeout_seconds":
            settings[name] = max(value, wanted, key=_idle)
        else:
            settings[name] = min(value, wanted)
    return settings


def transfer(
    neon: Groups[None], route: TransferRoute, project_ids: Sequence[str]
) -> Call[dict[str, NeonError]]:
    """Move projects. Projects that are in the destination already count as moved.

    Neon moves all of a request or none. Where it refuses some, it is asked for halves of them,
    until each that it refuses is known.

    Returns:
        For each project that was not moved, why not.
    """
    failed: dict[str, NeonError] = {}
    for begin in range(0, len(project_ids), BATCH):
        failed |= yield from _transfer(neon, route, project_ids[begin : begin + BATCH])
    return failed


def _transfer(
    neon: Groups[None], route: TransferRoute, project_ids: Sequence[str]
) -> Call[dict[str, NeonError]]:
    left, tries = project_ids, 0
    while left:
        tries += 1
        try:
            yield from neon.organizations.transfer_projects(
                route.source, left, destination_org_id=route.destination
            )
            return {}
        except Forbidden as refused:
            return dict.fromkeys(left, _wrong_key(refused))
        except _ONE_IS_ENOUGH as refused:
            return (yield from _in_halves(neon, route, left, refused))
        except (AnswerLost, UnusableAnswer) as lost:
            left = yield from _left(neon, route, left)
            if tries == _TRIES:
                return dict.fromkeys(left, lost)
        except NeonError as error:
            return dict.fromkeys(left, error)
    return {}


def _in_halves(
    neon: Groups[None], route: TransferRoute, project_ids: Sequence[str], refused: NeonError
) -> Call[dict[str, NeonError]]:
    """Move projects of which Neon refused at least one, in halves."""
    if len(project_ids) == 1:
        left = yield from _left(neon, route, project_ids)
        return dict.fromkeys(left, refused)
    half = len(project_ids) // 2
    failed = yield from _transfer(neon, route, project_ids[:half])
    return failed | (yield from _transfer(neon, route, project_ids[half:]))


def _left(neon: Groups[None], route: TransferRoute, project_ids: Sequence[str]) -> Call[list[str]]:
    """The projects that are not in their new organization yet."""
    left = []
    for id_ in project_ids:
        try:
            project = yield from neon.projects.get(id_)
        except NotFound:
            left.append(id_)
        else:
            left += [id_] if project.org_id != route.destination else []
    return left


def is_moved(neon: Groups[None], route: TransferRoute, project_id: str) -> Call[bool]:
    """Whether a project is in its new organization."""
    return not (yield from _left(neon, route, [project_id]))


def _idle(seconds: int) -> float:
    """A suspend time, to compare: more plans allow a longer one, and few allow -1 (never).

    0 is Neon's default of 5 minutes.
    """
    return {0: 300, -1: -1}.get(seconds, seconds)


def _wrong_key(error: Forbidden | None = None) -> Forbidden:
    return Forbidden(
        "Neon: this key may not move projects from one organization to another.",
        checked=error.checked if error else ("GET /users/me: the key is an organization's",),
        remedy=_KEY,
        status=error.status if error else None,
    )
