"""One database of one home, and what its only table says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record
from neonup_local.service.versions.local_versions import LocalVersions
from tests.local.sql import ask
from tests.postgres import free_port
from tests.project import names

ID = "shop"


@dataclass
class Shop:
    """The database ``shop``."""

    databases: LocalDatabases

    def make(self) -> None:
        # The port that follows from the id is wanted by the databases of other tests, too.
        record = self.databases.create(ID, name="shop", port=free_port())
        ask(self.databases.url(record), "CREATE TABLE state AS SELECT 1 AS n")
        ask(self.databases.url(record), "CHECKPOINT")  # its last moments may be lost in a crash

    @property
    def record(self) -> Record:
        record = self.databases.get(ID)
        assert record is not None
        return record

    @property
    def folder(self) -> Path:
        return self.databases.folder(ID)

    @property
    def url(self) -> str:
        return self.databases.url(self.record)

    @property
    def versions(self) -> LocalVersions:
        return LocalVersions(self.databases, ID, lambda: None)

    def says(self) -> int:
        """What the table says, once the server runs."""
        return int(ask(self.databases.url(self.databases.wake(self.record)), "TABLE state"))

    def write(self, value: int) -> None:
        ask(self.url, f"UPDATE state SET n = {value}")
        ask(self.url, "CHECKPOINT")

    def unfinished(self) -> list[str]:
        """What a killed run has left in the database's folders, except what the upkeep removes."""
        usual = {"data", "database.json", "log", "neonup.conf", "versions"}
        usual |= {"git-branch", "git-branches"}
        here = [name for name in names(self.folder) if name not in usual]
        here = [name for name in here if not name.startswith(".record-")]
        inside = self.folder / "versions"
        versions = [name for name in names(inside) if inside.is_dir()] if inside.is_dir() else []
        return here + [name for name in versions if not (inside / name / "data").is_dir()]
