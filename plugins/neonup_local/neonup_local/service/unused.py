"""Engines, templates and spare copies that nothing uses any more: of older versions, mostly."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import binaries, cluster, template
from neonup_local.engine.binaries import Engine
from neonup_local.service import home as homes
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.versions import checkouts, manifest

_SECONDS = 86400.0
"""What was made or used within a day stays: a database may just be coming into being with it."""


def remove(home: Path, older_than: float = _SECONDS) -> list[Path]:
    """Remove what nothing uses, and return it.

    Of each kind of engine the newest copy stays, since the next database takes it, and the newest
    of each major version that a database belongs to, since that one is started with it.

    Args:
        home: neonup's own folder.
        older_than: seconds since it was last used.

    Raises:
        EngineError: the home cannot be used.
    """
    with homes.locked(home, homes.ENGINES):
        needed = {engine.id for engine in _needed(home)}
        running = _running(home)
        doomed = [
            path
            for path in _candidates(home, needed)
            if path not in running and _age(path) >= older_than
        ]
        for path in doomed:
            shutil.rmtree(path, ignore_errors=True)
    return doomed


def _needed(home: Path) -> Iterator[Engine]:
    engines = [entry.engine for entry in binaries.candidates(home) if entry.engine]
    newest: dict[str, Engine] = {}
    for engine in sorted(engines, key=binaries.version_key):
        newest[engine.name] = engine
    yield from newest.values()
    yield from (engine for engine in engines if engine.name not in binaries.PACKAGES)
    for id_, major in [*_of_databases(home), *_of_projects(home)]:
        fitting = [engine for engine in engines if engine.major == major]
        own = [engine for engine in fitting if engine.id.startswith(_kind(id_))]
        if own or fitting:
            yield max(own or fitting, key=binaries.version_key)


def _of_databases(home: Path) -> Iterator[tuple[str, int]]:
    """The engine and the major version of each database, of its versions and git branches."""
    databases = LocalDatabases(home)
    for record in databases.all():
        yield record.engine, record.pg_major
        folder = databases.folder(record.id)
        for version in manifest.all_of(folder):
            yield from _of_data(version.engine, manifest.place(folder, version.id) / "data")
        for data in (folder / checkouts.FOLDER).glob("*"):
            yield from _of_data(record.engine, data)


def _of_data(engine: str, data: Path) -> Iterator[tuple[str, int]]:
    with suppress(EngineError):  # damaged: no engine helps
        yield engine, cluster.major_version(data)


def _of_projects(home: Path) -> list[tuple[str, int]]:
    """The engine and the major version of each project of a local Neon (`neon.store`)."""
    path = home / "neon" / "neon.db"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(
            "SELECT json_extract(body, '$.engine'), json_extract(body, '$.pg_version') FROM Project"
        ).fetchall()


def _kind(engine_id: str | None) -> str:
    return (engine_id or "").rpartition("-")[0]


def _candidates(home: Path, needed: set[str]) -> Iterator[Path]:
    forms = {f"{id_}-{template.FORM}" for id_ in needed}
    for folder, names in (("engines", needed), ("templates", forms), ("spares", forms)):
        for path in (home / folder).glob("[!.]*"):
            if path.name not in names:
                yield path
    for path in (home / "tests" / "templates").glob("[!.]*"):
        if not any(path.name.endswith(f"-{id_}") for id_ in needed):
            yield path


def _running(home: Path) -> set[Path]:
    """The copies of engines whose programs run at this moment."""
    import psutil

    engines = home / "engines"
    running = set()
    for process in psutil.process_iter(["exe"]):
        path = Path(process.info["exe"] or "/")
        if path.is_relative_to(engines):
            running.add(engines / path.relative_to(engines).parts[0])
    return running


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
