"""The databases that are in a home, looked at without a lock: nothing is changed here."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from neonup import EngineError, State
from neonup_local.engine import postmaster, template
from neonup_local.service import home as homes
from neonup_local.service import notes, records
from neonup_local.service.records import Record


class HomeDatabases:
    """Every database that neonup keeps in one home folder, as its files tell.

    Args:
        home: neonup's own folder.
    """

    def __init__(self, home: Path):
        self.home = home

    def folder(self, id: str) -> Path:  # noqa: A002
        """The folder of a database; `service.home` says what is in it."""
        return homes.database_folder(self.home, id)

    def get(self, id: str) -> Record | None:  # noqa: A002
        """The record of a database, or None if there is no such database.

        Raises:
            EngineError: its record is damaged, or lost while its data is there.
        """
        folder = self.folder(id)
        record = records.read(folder)
        if record is None and self.has_data(id):
            raise EngineError(
                f"The record of the database {id!r} is lost: {folder / 'database.json'}.",
                checked=[f"its data, {folder / 'data'}, exists and was not changed"],
                remedy="Start the project that uses it: its URL in .env is enough to repair it.",
            )
        return record

    def has_data(self, id: str) -> bool:  # noqa: A002
        """Whether there is a data directory, sound or not."""
        folder = self.folder(id)
        return (folder / "data").is_dir() or notes.is_being_exchanged(folder)

    def ids(self) -> list[str]:
        """The ids of all databases, also of those whose record is damaged."""
        folders = (self.home / "databases").glob("*")
        return sorted(path.name for path in folders if not path.name.startswith("."))

    def all(self) -> list[Record]:
        """The records of all databases that have a sound one."""
        records = []
        for name in self.ids():
            try:
                record = self.get(name)
            except EngineError:
                continue
            if record is not None:
                records.append(record)
        return records

    def state(self, record: Record) -> State:
        """Whether it runs, is stopped, or has lost its data."""
        folder = self.folder(record.id)
        data = folder / "data"
        if postmaster.running(data):
            return State.READY
        has_data = (data / "PG_VERSION").is_file() or notes.is_being_exchanged(folder)
        return State.STOPPED if has_data else State.MISSING

    def url(self, record: Record) -> str:
        """Its connection URL, in libpq's form."""
        return (
            f"postgresql://{template.OWNER}:{quote(record.password, safe='')}"
            f"@{postmaster.HOST}:{record.port}/{template.DATABASE}"
        )

    def branches_of(self, id: str) -> list[Record]:  # noqa: A002
        """The databases that are branches of this one, oldest first."""
        branches = [record for record in self.all() if record.branch_of == id]
        return sorted(branches, key=lambda record: record.created_at)
