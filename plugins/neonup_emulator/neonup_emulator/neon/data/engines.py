"""The engines that projects have: chosen for a new one, found again for data that exists."""

from __future__ import annotations

from pathlib import Path

from neonup_emulator.neon.data.model import Cluster
from neonup_local.engine import choosing, cluster
from neonup_local.engine.binaries import Engine
from neonup_local.service import stock


class ProjectEngines:
    """The engines of one home's projects.

    Args:
        home: neonup's own folder.
        pg_bin: a folder of Postgres programs to use before any other.
    """

    def __init__(self, home: Path, pg_bin: Path | None):
        self._home = home
        self._pg_bin = pg_bin
        self._by_id: dict[str, Engine] = {}
        self._by_major: dict[int | None, Engine] = {}

    def for_major(self, major: int | None) -> Engine:
        """The engine of a new project; one that speaks TLS where there is any.

        Raises:
            EngineError: the machine has none of that version.
        """
        engine = self._by_major.get(major)
        if engine is None or not engine.bin.is_dir():
            engine = stock.choose_engine(self._home, pg_bin=self._pg_bin, tls=True, major=major)
            self._by_major[major] = self._by_id[engine.id] = engine
        return engine

    def for_id(self, id: str) -> Engine:  # noqa: A002
        """The engine of that id, or its successor, for a cluster without data.

        Raises:
            EngineError: that Postgres is no longer on this machine.
        """
        known = self._by_id.get(id)
        if known is None or not known.bin.is_dir():
            name = id.rpartition("-")[0]
            known = stock.choose_engine(self._home, pg_bin=self._pg_bin, tls=True, name=name)
            self._by_id[id] = known
        return known

    def for_data(self, row: Cluster, data: Path) -> Engine:
        """The engine that can start a cluster.

        Args:
            row: the cluster.
            data: its data directory.

        Raises:
            EngineError: that Postgres is no longer on this machine.
        """
        known = self._by_id.get(row.engine)
        if known is None or not known.bin.is_dir():
            major = cluster.major_version(data)
            known = choosing.for_data(self._home, major, row.engine, self._pg_bin)
            self._by_id[row.engine] = known
        return known
