"""A Postgres of our own: started when it is needed, and gone with the run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from neonup import EngineError, Settings, urls
from neonup.plugin.postgres import ServerLost
from neonup_pytest.databases import cluster_state, naming, statements
from neonup_pytest.servers.admin import Admin

try:
    from neonup_local.options import LocalOptions
    from neonup_local.test_server import (
        EngineNeeds,
        EphemeralServer,
        KeptTest,
        Run,
        engine_needs,
        for_project,
        reserve_port,
        room,
    )
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith("neonup_local"):
        raise
    raise EngineError(
        "There is no Postgres to run tests on.",
        checked=["neonup-local is not installed", "NEONUP_TEST_SERVER is not set"],
        remedy='pip install "neonup[local]", or set NEONUP_TEST_SERVER to the URL of a server.',
    ) from None

_HOST = "127.0.0.1"
_TEMPLATES = 4
"""How many templates of a project stay beside the ones in use."""
_RECOVERY_SECONDS = 10
_WAITING = 256 << 20
"""Bytes that retired databases may take before they are dropped."""


class LocalServer:
    """The run's own server.

    Args:
        id: the run that it belongs to.
        settings: the project's: which Postgres to take.
    """

    owner = EphemeralServer.OWNER
    provider = "local"

    def __init__(self, id: str, settings: Settings):  # noqa: A002
        self._run = run = Run(settings.home, id)
        self._settings = settings
        self._options = LocalOptions.of(settings)
        self._reservation: socket.socket | None = None
        self._own: EphemeralServer | None = None
        run.join()
        with run.locked():
            shared = run.shared
            if "port" not in shared:
                port, self._reservation = reserve_port()
                run.shared = {**shared, "port": port, "password": secrets.token_hex(12)}
        self._port = int(run.shared["port"])
        self._password = str(run.shared["password"])

    @property
    def identity(self) -> str:
        """Its engine, and whether its role is a superuser, who can do more in migrations."""
        return f"{'superuser-' * self._options.superuser}{self._server.engine.id}"

    @property
    def _server(self) -> EphemeralServer:
        if self._own is None:
            with self._run.locked():
                folder = self._run.folder()
                needs = self._needs()
            self._own = for_project(self._settings, folder, self._port, needs)
        return self._own

    def _needs(self) -> EngineNeeds:
        """What the server has to have; the project's files are searched once a run."""
        settings, shared = self._settings, self._run.shared
        if settings.extensions:
            return EngineNeeds(settings.extensions)
        if "needs" not in shared:
            shared = {**shared, "needs": engine_needs(settings).wanted}
            self._run.shared = shared
        return EngineNeeds(wanted=tuple(shared["needs"]))

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self._server.data

    def url(self, database: str) -> urls.PostgresUrl:
        """Where a database of it is or will be."""
        return urls.PostgresUrl(((_HOST, self._port),), self.owner, self._password, database)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold what only one process of the run may do at a time: making templates."""
        with self._run.locked("template"):
            yield

    def start(self, *, sure: bool = False) -> None:
        """Start it, unless it runs; one that died is replaced by a new one.

        Raises:
            EngineError: it did not start; shows its own last lines.
        """
        server = self._server
        with self._run.locked():
            if server.running and (not sure or self._recovers()):
                return
            self._run.forget_kept()
            server.make(self._cache)
            self._start()

    def _recovers(self) -> bool:
        """Wait while it does what Postgres does after one of its processes was killed."""
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while self._server.running and time.monotonic() < deadline:
            admin = self.connect()
            try:
                admin.run("SELECT 1")
                return True
            except ServerLost:
                time.sleep(0.05)
            finally:
                admin.close()
        return False

    def _start(self) -> None:
        self._server.start()
        admin = self.connect()
        try:
            # Every test connects anew; but pg8000's scramp refuses what was hashed only once.
            quick = find_spec("scramp") is None
            admin.run(*self._server.passwords(self._password, quick=quick))
        finally:
            admin.close()

    def connect(self) -> Admin:
        """A connection as the superuser."""
        return Admin(*self._server.administrator())

    def allowance(self, size: int) -> int:
        """As many as fit into 256 MiB, or a quarter of the room that is left."""
        return min(_WAITING, room(self._server.folder) // 4) // max(size, 1)

    @property
    def _cache(self) -> Path:
        """The project's data directory with its templates, which a run begins with a copy of."""
        project = self._settings.project
        place = hashlib.sha256(os.fsencode(project)).hexdigest()[:8]
        return (
            self._settings.home
            / "tests"
            / "templates"
            / f"{project.name[:20]}-{place}-{self.identity}"
        )

    def made_here(self, template: str) -> bool:
        """Whether a process of this run has made a template."""
        return template in self._run.shared.get("made", [])

    def used(self, template: str) -> None:
        """A template that was there is used: the next save keeps it."""
        with self._run.locked():
            if template not in self._run.shared.get("used", []):
                self._warm(template)
            self._add("used", template)

    def _warm(self, template: str) -> None:
        admin = self.connect()
        try:
            statements.warm(admin, template)
        finally:
            admin.close()

    def _add(self, what: str, template: str) -> None:
        shared = self._run.shared
        self._run.shared = {**shared, what: sorted({*shared.get(what, []), template})}

    def saved(self, template: str) -> None:
        """Keep the templates: now, where nobody is connected yet, else at the run's end."""
        with self._run.locked():
            admin = self.connect()
            try:
                self._add("made", template)
                self._add("used", template)
                busy = statements.names(admin, f"{naming.PREFIX}{self._run.id}_")
                busy = busy or cluster_state.tablespaces(admin)
                if not busy:
                    self._forget_old(admin)
            finally:
                admin.close()
            self._run.shared = {**self._run.shared, "unsaved": bool(busy)}
            if not busy:
                self._save()
                self._server.start()
                self._warm(template)

    def _forget_old(self, admin: Admin) -> None:
        used = self._run.shared.get("used", [])
        others = [name for name in statements.names(admin, naming.TEMPLATE) if name not in used]
        statements.drop_all(admin, others[:-_TEMPLATES])

    def _save(self) -> None:
        self._server.stop(cleanly=True)
        target = self._cache
        target.parent.mkdir(parents=True, exist_ok=True)
        target.parent.chmod(0o711)
        temporary = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
        self._server.copy_to(temporary)
        old = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
        if target.exists():
            target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)

    def _save_at_the_end(self) -> None:
        unsaved = self._run.shared.get("unsaved")
        if self._run.kept_databases:  # they stay on this server, which goes on running
            return
        if not (unsaved or self._options.superuser) or not self._server.running:
            return
        admin = self.connect()
        try:
            own = EphemeralServer.DATABASES
            others = statements.others(admin, own)  # suites make databases by themselves
            clean = statements.drop_all(admin, others) and cluster_state.drop_gone(admin)
            clean = cluster_state.drop_tablespaces(admin) and clean
            self._forget_old(admin)
        finally:
            admin.close()
        if clean and unsaved:
            self._save()

    def keep(self, database: str, test: str, error: str | None) -> None:
        """Let a database outlive the run: its server goes on running then."""
        about = KeptTest(test, error).values
        server = {
            "project": str(self._settings.project),
            "engine": self._server.engine.id,
            "logical_replication": self._settings.logical_replication,
        }
        with self._run.locked():
            self._run.keep(database, about, server)

    def last_lines(self) -> list[str]:
        """The end of its log."""
        return self._server.last_lines()

    def leave(self) -> None:
        """Leave the run; the last one stops the server and removes it."""
        self._run.leave(self._save_at_the_end)
        if self._reservation is not None:
            self._reservation.close()
