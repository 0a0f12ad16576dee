"""What the local Neon does by itself: it suspends, expires, purges, and shortens histories."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

from neonup import NeonupError
from neonup_emulator.neon import branches, projects, purging, schedules, snapshots
from neonup_emulator.neon.accounts import sessions
from neonup_emulator.neon.claimable import agents, neon_new
from neonup_emulator.neon.compute import idle
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import bases
from neonup_emulator.neon.errors import Gone, Refused
from neonup_emulator.neon.metering import quotas
from neonup_emulator.neon.model import Branch, Project, Snapshot
from neonup_emulator.neon.oauth import tokens as oauth_tokens

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_EXPIRY_SECONDS = 5.0
_HISTORY_SECONDS = 60.0
_MEASURE_SECONDS = 60.0
_QUOTA_SECONDS = 5.0


class Upkeep:
    """A thread that looks after one local Neon.

    Args:
        neon: which; started.
    """

    def __init__(self, neon: LocalNeon):
        self._neon = neon
        quotas.enforce(neon)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="neon-upkeep")

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def stop(self) -> None:
        """End it, once it has finished what it is doing."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        expired = renewed = measured = limited = 0.0
        with suppress(NeonupError, OSError):  # what the last server did not get to
            neon_new.carry_out_claims(self._neon)
        while not self._stopping.wait(_LOOK_SECONDS):
            looked = time.monotonic()
            try:
                idle.suspend(self._neon.store, self._neon.computes)
                if looked - limited > _QUOTA_SECONDS:
                    limited = looked
                    quotas.look(self._neon, idle=False)
                if looked - measured > _MEASURE_SECONDS:
                    measured = looked
                    self._neon.computes.observer.measure(idle=False)
                    self._neon.meter.write()
                if looked - expired > _EXPIRY_SECONDS:
                    expired = looked
                    with self._neon.upkeep:
                        schedules.run(self._neon)
                        expire(self._neon)
                if looked - renewed > _HISTORY_SECONDS:
                    renewed = looked
                    bases.renew(self._neon)
            except (Refused, NeonupError, OSError) as error:
                log.warning("The upkeep of the local Neon failed: %s", error)


def catch_up(neon: LocalNeon) -> None:
    """Do at once what the time that it is now asks for."""
    with neon.upkeep:
        quotas.look(neon)
        schedules.run(neon)
        expire(neon)
        neon.meter.write()


def expire(neon: LocalNeon) -> None:
    """Delete branches, snapshots and tokens whose time is over, and projects deleted long ago."""
    with neon.upkeep:
        _expire(neon)


def _expire(neon: LocalNeon) -> None:
    now = neon.clock.now()
    oauth_tokens.forget_expired(neon)
    sessions.forget_expired(neon)
    agents.expire(neon)
    neon_new.expire(neon)

    def check(row: Branch | Snapshot) -> None:
        if row.expires_at is None or row.expires_at > now:
            raise Gone("it was given more time")
        if isinstance(row, Snapshot) and schedules.keeps(neon, row):
            raise Gone("it is the newest one of its schedule")

    for branch in neon.store.dated(Branch, "expires_at"):
        project = neon.store.get(Project, branch.project_id)
        if project is not None and branch.expires_at is not None and branch.expires_at <= now:
            with suppress(Refused):  # something else is under way: later
                branches.delete(neon, project, branch, check=check)
    for snapshot in neon.store.dated(Snapshot, "expires_at"):
        if snapshot.expires_at is None or snapshot.expires_at > now:
            continue
        project = neon.store.get(Project, snapshot.project_id)
        if project is not None and not schedules.keeps(neon, snapshot):
            with suppress(Refused):
                snapshots.delete(neon, project, snapshot, check=check)
    for project in neon.store.dated(Project, "deleted_at"):
        if project.deleted_at is not None and project.deleted_at + projects.RECOVERABLE < now:
            with suppress(Refused):  # it is being recovered
                _purge(neon, project)


def _purge(neon: LocalNeon, project: Project) -> None:
    with neon.journal.alone(project, deleted=True) as current:
        if current.deleted_at != project.deleted_at:
            return  # it was recovered and deleted again meanwhile
        removed = purging.forget_project(neon.store, current)
    purging.remove_data(neon.clusters, removed)
