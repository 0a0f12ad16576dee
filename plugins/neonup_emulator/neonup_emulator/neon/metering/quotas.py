"""Quotas: what happens to a project that has used one up.

All branches of a project share its quotas, but for ``logical_size_bytes``, which each branch has
for itself (ProjectQuota in Neon's document). What is refused begins anew with the next month, or
as soon as the quota is larger: nothing is written down about it.
"""

from __future__ import annotations

import logging
from functools import partial

from neonup import NeonupError
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import QuotaExceeded
from neonup_emulator.neon.metering import usage
from neonup_emulator.neon.model import Branch, Endpoint, Project

log = logging.getLogger(__name__)

_SIZE = "logical_size_bytes"


def enforce(neon: LocalNeon) -> None:
    """Let no server start from now on whose project has used up a quota."""
    neon.computes.add_admission_check(partial(admit, neon))


def admit(neon: LocalNeon, branch: Branch) -> None:
    """Whether a branch's server may be started.

    Raises:
        QuotaExceeded: its project has used up a quota.
    """
    if (item := _exceeded(neon, branch)) is not None:
        raise QuotaExceeded(item)


def look(neon: LocalNeon, *, idle: bool = True) -> None:
    """Measure what runs of projects with quotas, and suspend what has used one up.

    Args:
        idle: also measure servers that nobody has used since the last time.
    """
    limited = [project for project in _running(neon) if usage.quota_of(project)]
    if limited:
        neon.computes.observer.measure({project.id for project in limited}, idle=idle)
    for project in limited:
        for branch in neon.store.all(Branch, project_id=project.id):
            if _exceeded(neon, branch) is not None:
                _suspend(neon, branch)


def _running(neon: LocalNeon) -> list[Project]:
    """The projects that have a running server."""
    ids = {server.project_id for server in neon.meter.running().values()}
    projects = (neon.store.get(Project, id) for id in ids)  # noqa: A001
    return [project for project in projects if project is not None]


def _exceeded(neon: LocalNeon, branch: Branch) -> str | None:
    project = neon.store.get(Project, branch.project_id)
    if project is None or not usage.quota_of(project):
        return None
    used = usage.of_project(neon, project)
    used_up = [name for name, share in used.fractions.items() if share >= 1 and name != _SIZE]
    if used_up:
        return used_up[0]
    return _SIZE if usage.of_branch(neon, branch).fractions.get(_SIZE, 0) >= 1 else None


def _suspend(neon: LocalNeon, branch: Branch) -> None:
    for endpoint in neon.store.all(Endpoint, branch_id=branch.id):
        try:
            neon.computes.suspend_endpoint(endpoint)
        except NeonupError as error:
            log.warning("%s could not be suspended: %s", endpoint.id, error)
