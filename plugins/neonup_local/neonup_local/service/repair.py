"""A record that was damaged or lost, made again from the data directory."""

from __future__ import annotations

from pathlib import Path

from neonup_local.engine import choosing, cluster
from neonup_local.service import home as homes
from neonup_local.service import records
from neonup_local.service.records import Record


def from_data(
    home: Path,
    id: str,  # noqa: A002
    password: str,
    port: int,
    pg_bin: Path | None,
) -> Record:
    """Write a project's record again; its password is set at the next start. Under its lock.

    Args:
        home: neonup's own folder.
        id: the database.
        password: what ``neondb_owner``'s is to be: the one in the project's URL, or a new one.
        port: the port to try first.
        pg_bin: the setting of that name.

    Raises:
        EngineError: there is no sound data directory, or no engine of its major version.
    """
    folder = homes.database_folder(home, id)
    major = cluster.major_version(folder / "data")
    engine = choosing.for_data(home, major, None, pg_bin)
    record = Record(
        id=id,
        name=id,
        port=port,
        password=password,
        engine=engine.id,
        pg_major=major,
    )
    return records.write(folder, record)
