"""The databases of failed tests that were kept: which there are, of which test, and opening one.

They stay on the server of their run, which goes on running for them. Where it does not (it was
ended from outside, or the machine was started anew, and the data is on the disk), it is started
again.

kept.json, in a run's folder:
    databases            their names, in the order in which they were kept
    at                   when the last of them was
    tests                by name: test, error and at; runs of older versions have none
    project, engine, logical_replication    of the server
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neonup import Database, EngineError, NeonupError, urls
from neonup_local.engine import choosing, cluster, postmaster
from neonup_local.service import home as homes
from neonup_local.test_server import runs
from neonup_local.test_server.runs import Run
from neonup_local.test_server.server import EphemeralServer, reserve_port

_MOST_TEXT = 1000
"""So many characters of a test's error are kept, and of its id."""


@dataclass(frozen=True)
class KeptTest:
    """Which test a kept database is of, without passwords and what a terminal would obey.

    Args:
        test: its id, as pytest has it: ``tests/test_shop.py::test_order[1]``.
        error: why it failed, in short; None: it did not.
    """

    test: str
    error: str | None = None

    @property
    def values(self) -> dict[str, str | None]:
        """What is recorded of it."""
        return {"test": _plain(self.test), "error": self.error and _plain(self.error)}


@dataclass(frozen=True)
class KeptDatabase:
    """A database that was kept for a test. ``repr`` shows no password.

    Args:
        run: the id of the run that the test was in.
        name: the database's name.
        test: the test's id; None: a version of neonup kept it that did not say so.
        error: why the test failed, in short; None: it did not, or that is unknown.
        at: when it was kept; aware, UTC.
        project: the project's folder; None: unknown.
        running: whether its server runs.
        url: its URL in libpq's form; another port may be in it once it was woken.
    """

    run: str
    name: str
    test: str | None
    error: str | None
    at: datetime
    project: Path | None
    running: bool
    url: str = field(repr=False)


class KeptDatabases:
    """All databases of a home that were kept for tests.

    Args:
        home: neonup's own folder.
    """

    def __init__(self, home: Path):
        self.home = home

    def of_project(self, project: Path) -> list[KeptDatabase]:
        """Those of a project's tests, the newest first."""
        place = project.resolve()
        return [kept for kept in self.all() if kept.project and kept.project.resolve() == place]

    def all(self) -> list[KeptDatabase]:
        """Those of all projects, the newest first."""
        found = [kept for control in runs.folders(self.home) for kept in self._of_run(control)]
        return sorted(found, key=lambda kept: kept.at, reverse=True)

    def find(self, project: Path, which: str) -> KeptDatabase:
        """The newest one of a project that is of a test.

        Args:
            project: the project's folder.
            which: the test's id, its end or its name, or the name of the database.

        Raises:
            NeonupError: there is none, or several tests are called so; lists them.
        """
        kept, which = self.of_project(project), _plain(which)  # as it was recorded
        found = next((some for how in _WAYS if (some := [it for it in kept if how(it, which)])), [])
        tests = list(dict.fromkeys(it.test or it.name for it in found))
        if len(tests) > 1:
            raise NeonupError(
                f"Databases of {len(tests)} tests are kept that are called {which!r}.",
                checked=tests,
                remedy="Name one as it stands there.",
            )
        if not found:
            raise NeonupError(
                f"No database of a test that is called {which!r} is kept.",
                checked=list(dict.fromkeys(it.test or it.name for it in kept))
                or [f"none is kept for tests of {project}"],
                remedy="pytest keeps those of failed tests which have one of their own "
                "(neon_db and the like), for eight hours and three runs.",
            )
        return found[0]

    def wake(self, kept: KeptDatabase, pg_bin: Path | None = None) -> Database:
        """Start the server that a database is on, unless it runs.

        Args:
            kept: which.
            pg_bin: the setting of that name.

        Returns:
            The database with the URL by which it can be connected to now.

        Raises:
            NeonupError: it is gone meanwhile, or its server does not start.
        """
        run = Run(self.home, kept.run)
        with homes.locked(self.home, runs.LOCK):  # or it could be removed while it starts
            folder = runs.data_folder(run.control)
            if kept.name not in run.kept_databases or folder is None or not folder.is_dir():
                raise NeonupError(
                    f"The database of {kept.test or kept.name} is gone.",
                    remedy="Later runs remove it: run the test again.",
                )
            with run.locked():
                if postmaster.running(folder / "data") is None:
                    _start(run, folder, pg_bin)
        return Database(_url(run.shared, kept.name), "local", source=kept.test or "pytest")

    def _of_run(self, control: Path) -> list[KeptDatabase]:
        run = Run(self.home, control.name)
        folder = runs.data_folder(control)
        names, values, shared = run.kept_databases, run.kept, run.shared
        if not names or folder is None or not folder.is_dir() or "port" not in shared:
            return []
        running = postmaster.running(folder / "data") is not None
        tests, project = values.get("tests", {}), values.get("project")
        return [
            KeptDatabase(
                run=run.id,
                name=name,
                test=(test := tests.get(name, {})).get("test"),
                error=test.get("error"),
                at=datetime.fromtimestamp(test.get("at", values.get("at", 0.0)), UTC),
                project=Path(project) if project else None,
                running=running,
                url=_url(shared, name),
            )
            for name in names
        ]


_WAYS: tuple[Callable[[KeptDatabase, str], bool], ...] = (
    lambda kept, which: which in (kept.name, kept.test),
    lambda kept, which: _ends_with(kept.test, which),
    lambda kept, which: _ends_with(kept.test and kept.test.partition("[")[0], which),
)
"""What is named, the surest first; the last way leaves a test's parameters out."""


def _ends_with(test: str | None, which: str) -> bool:
    return bool(test) and any(str(test).endswith(f"{sign}{which}") for sign in ("/", "::"))


def _start(run: Run, folder: Path, pg_bin: Path | None) -> None:
    if runs.is_alive(run.control):
        raise EngineError(
            "The tests' Postgres has ended in the middle of its run.",
            checked=[str(folder / "log")],
            remedy="Wait until the run is over.",
        )
    kept = run.kept
    major = cluster.major_version(folder / "data")
    engine = choosing.for_data(run.home, major, kept.get("engine"), pg_bin)
    logical, port = bool(kept.get("logical_replication")), int(run.shared["port"])
    try:
        EphemeralServer(run.home, folder, port, engine, logical).start()
    except cluster.PortTaken:
        port, reservation = reserve_port()
        try:
            EphemeralServer(run.home, folder, port, engine, logical).start()
        finally:
            if reservation is not None:
                reservation.close()
        run.shared = {**run.shared, "port": port}


def _url(shared: Mapping[str, Any], name: str) -> str:
    place = ((postmaster.HOST, int(shared["port"])),)
    return str(urls.PostgresUrl(place, EphemeralServer.OWNER, str(shared["password"]), name))


def _plain(text: str) -> str:
    """A text without passwords and what a terminal would obey, cut to what can be read."""
    masked = urls.mask(text).expandtabs(4)
    plain = "".join(sign if sign == "\n" or sign.isprintable() else "?" for sign in masked)
    return plain if len(plain) <= _MOST_TEXT else f"{plain[: _MOST_TEXT - 3]}..."
