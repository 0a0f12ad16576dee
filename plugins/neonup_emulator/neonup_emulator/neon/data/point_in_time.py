"""New clusters with a branch's data: as it is now, or as it was at a moment of its history."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta

import psycopg

from neonup import EngineError
from neonup_emulator.neon import ids
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import history
from neonup_emulator.neon.data.history import RecoveryTarget
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import NotFound, Refused, Unprocessable
from neonup_emulator.neon.model import Branch, Project

_LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")


def new_cluster(
    neon: LocalNeon,
    source: Branch,
    moment: RecoveryTarget | None,
    *,
    id: str | None = None,  # noqa: A002
) -> Cluster:
    """The row of a cluster that will have a branch's data.

    Args:
        id: the cluster's; None: a new one.

    Raises:
        NotFound: the branch is gone.
    """
    row = neon.store.get(Cluster, source.cluster_id)
    if row is None:
        raise NotFound("branch not found")
    state = ClusterOrigin.COPIED if moment is None else ClusterOrigin.RESTORED
    return Cluster(
        id=id or ids.cluster(),
        project_id=row.project_id,
        engine=row.engine,
        bases=row.bases if moment is None else moment.reachable(row.bases),
        own_names=row.own_names,
        state=state,
    )


def target(
    neon: LocalNeon, project: Project, branch: Branch, *, time: datetime | None, lsn: str | None
) -> RecoveryTarget | None:
    """The moment that a request names; None: now.

    Raises:
        Refused: the timestamp or the LSN is malformed.
        Unprocessable: it is in the future, or before what is kept.
    """
    if time is not None and lsn is not None:
        raise Refused("give a timestamp or an LSN, not both")
    if lsn is not None:
        if not _LSN.fullmatch(lsn):
            raise Refused("an LSN looks like 0/1A2B3C8")
        row = neon.store.get(Cluster, branch.cluster_id)
        if row is None or history.position(lsn) < neon.clusters.begin(row):
            raise Unprocessable("the LSN is outside of the history that is kept")
        return RecoveryTarget(lsn=lsn)
    if time is None:
        return None
    now = neon.clock.now()
    if time > now:
        raise Unprocessable("the timestamp is in the future")
    row = neon.store.get(Cluster, branch.cluster_id)
    begin = now - timedelta(seconds=project.history_retention_seconds)
    if row is None or time < max(begin, row.bases[0].at):
        raise Unprocessable("the timestamp is outside of the history that is kept")
    return RecoveryTarget(time=time)


def build(
    neon: LocalNeon, source: Branch, new: Cluster, moment: RecoveryTarget | None
) -> str | None:
    """Give a new cluster its data.

    A source that runs goes on: it is backed up while it is used. One that sleeps is copied as it
    lies.

    Returns:
        Where in the source's log the copy begins, if it runs and the moment is now.

    Raises:
        EngineError: the machine could not do it.
        Unprocessable: the log has no such position.
    """
    row = neon.store.get(Cluster, source.cluster_id)
    if row is None:
        raise NotFound("branch not found")
    if moment is None:
        with neon.computes.held(source.cluster_id):
            if not neon.computes.is_running(source.cluster_id):
                neon.clusters.copy_stopped(source.cluster_id, new.id)
                return None
            address = neon.computes.address(source.cluster_id)
        return neon.clusters.copy_running(row, new.id, address)
    _commit_something(neon, source)
    try:
        neon.clusters.replay(row, new.id, moment)
    except EngineError as error:
        if moment.lsn is not None:
            raise Unprocessable(f"{moment.lsn} is not in the branch's history") from error
        raise
    return moment.lsn


def _commit_something(neon: LocalNeon, source: Branch) -> None:
    """Let a running source's log go on behind the moment: a recovery that finds a later commit
    knows that it has arrived."""
    with neon.computes.held(source.cluster_id):
        if not neon.computes.is_running(source.cluster_id):
            return
        address = neon.computes.address(source.cluster_id)
    with (
        suppress(psycopg.Error),  # it has just been stopped: then its log ends here
        psycopg.connect(**address, autocommit=True) as connection,
    ):
        connection.execute("SELECT pg_logical_emit_message(true, 'neonup', '')")
