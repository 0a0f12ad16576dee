"""`Connections` without a framework: on threads, across forks, and beside event loops."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from neonup import CreationForbidden
from neonup_web.connections import Connections
from neonup_web.source import DatabaseSource
from neonup_web.status import StatusPages
from tests.project import Project

BACKEND = text("SELECT pg_backend_pid()")


@contextmanager
def connected(project: Project) -> Iterator[Connections]:
    connections = Connections(DatabaseSource(project.folder))
    try:
        yield connections
    finally:
        connections.close()


def backend(connections: Connections) -> int:
    """The server's process behind a session."""
    with connections.sync_session() as session:
        return int(session.scalars(BACKEND).one())


def test_threads_that_begin_together_share_one_engine(project: Project) -> None:
    project.ok()
    with connected(project) as connections, ThreadPoolExecutor(8) as threads:
        engines = set(threads.map(lambda _: connections.sync_engine(), range(32)))
        assert len(engines) == 1


FORKING = """
import os
from neonup_web.connections import Connections
from neonup_web.source import DatabaseSource
from sqlalchemy import text

connections = Connections(DatabaseSource())

def backend():
    with connections.sync_session() as session:
        return session.scalar(text("SELECT pg_backend_pid()"))

before = backend()
child = os.fork()
if child == 0:
    os.write(1, f"{backend()}\\n".encode())
    connections.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(before, backend(), sep="\\n")
connections.close()
"""


def test_a_forked_process_has_a_connection_of_its_own(project: Project) -> None:
    """Its end does not end the parent's, which goes on with the one that it had."""
    project.ok()
    done = project.python(FORKING)
    assert done.returncode == 0, done.stderr
    of_the_child, before, after = done.stdout.split()
    assert of_the_child != before
    assert after == before


def test_what_is_closed_opens_again(project: Project) -> None:
    project.ok()
    with connected(project) as connections:
        first = backend(connections)
        connections.close()
        assert backend(connections) != first


def test_a_database_that_was_stopped_is_woken_by_the_next_session(project: Project) -> None:
    project.ok()
    with connected(project) as connections:
        backend(connections)
        project.ok("stop")
        assert backend(connections)


def test_a_health_check_on_a_loop_of_its_own_makes_no_database_in_place_of_a_lost_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As blocking frameworks ask: the threads' engine knows which database it is."""
    monkeypatch.setenv("NEONUP_ENV", "development")
    project.ok()
    with connected(project) as connections:
        pages = StatusPages(connections)
        backend(connections)
        assert asyncio.run(pages.health()) == (
            *('{"status":"ok"}', 200),
            {"content-type": "application/json", "cache-control": "no-store"},
        )
        project.ok("stop")
        databases = Path(project.environ["NEONUP_HOME"]) / "databases"
        shutil.rmtree(databases)
        response = asyncio.run(pages.health())
        assert response.status == 503
        assert '"status":"unavailable"' in response.body
        assert not list(databases.glob("*"))


def test_it_is_named_as_the_application_names_it(project: Project) -> None:
    project.ok()
    done = project.python(
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from neonup_web.connections import Connections\n"
        "from neonup_web.source import DatabaseSource\n"
        "Connections(DatabaseSource(), name='app.db').sync_engine()"
    )
    assert "app.db.sync_session needs sqlalchemy, which is not installed." in done.stderr


async def test_a_lifespan_without_a_database_does_not_begin(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONUP_ENV", "production")
    connections = Connections(DatabaseSource(project.folder))
    with pytest.raises(CreationForbidden, match="env = production"):
        async with connections.lifespan({"connection", "session", "sync_session"}):
            pytest.fail("it began")
