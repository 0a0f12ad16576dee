"""The database stops, dies or moves between two requests: it costs time, and never a 500."""

from __future__ import annotations

import re
import shutil
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.fastapi.served import DEV, UVICORN, Served, serving
from tests.local.killing import kill
from tests.project import Project

PATHS = ("/", "/session", "/sync", "/_neon/health")


def _kill(project: Project) -> None:
    kill(Path(project.environ["NEONUP_HOME"]))


def _stop(project: Project) -> None:
    project.ok("stop")


def _cut(project: Project) -> None:
    """As a pooler or a suspended compute does: the server stays, the connections go."""
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


@pytest.mark.parametrize("asyncpg", [False, True], ids=["psycopg", "asyncpg"])
@pytest.mark.parametrize("happens", [_kill, _stop, _cut])
def test_every_request_is_answered(
    project: Project, happens: Callable[[Project], None], asyncpg: bool
) -> None:
    if asyncpg:
        _rewrite(project, 'Neon(driver="asyncpg")')
    command = UVICORN if asyncpg else DEV  # they differ in who starts the application
    with serving(project, command, NEONUP_ENV="development") as served:
        for first in PATHS:
            _ask_all(served)
            happens(project)
            assert served.get(first).status_code == 200, served.said
            _ask_all(served)


def test_many_connections_that_died_together_cost_one_wait(project: Project) -> None:
    _rewrite(project, 'Neon(pool={"min_size": 15, "max_size": 15}, engine={"pool_size": 15})')
    with serving(project, UVICORN, NEONUP_ENV="development") as served:
        _ask_all(served)
        _stop(project)
        for path in PATHS:
            took = served.get(path).elapsed.total_seconds()
            assert took < 40.0, (path, took)  # one wait a connection would be 45
        assert served.answer() == "neondb"


def test_a_server_that_moved_to_another_port_is_followed(project: Project) -> None:
    with serving(project, UVICORN, NEONUP_ENV="development") as served:
        _ask_all(served)
        old = project.url
        _stop(project)
        port = int(re.findall(r":(\d+)/", old)[0])
        with _taken(port):
            for path in PATHS:
                assert served.get(path).status_code == 200, served.said
        assert project.url != old


def test_the_health_check_makes_no_database_in_place_of_a_lost_one(project: Project) -> None:
    with serving(project, UVICORN, NEONUP_ENV="development") as served:
        _ask_all(served)
        _stop(project)
        databases = Path(project.environ["NEONUP_HOME"]) / "databases"
        shutil.rmtree(databases)
        health = served.get("/_neon/health")
        assert health.status_code == 503
        assert health.json()["status"] == "unavailable"
        assert not list(databases.glob("*"))


def test_a_url_that_is_refused_is_an_error_soon_and_says_why(project: Project) -> None:
    project.ok()
    url = re.sub(r":[^:@]+@", ":wrong@", project.url)
    project.env_file.unlink()
    with serving(project, UVICORN, DATABASE_URL=url) as served:
        answered = served.get("/")
        assert answered.status_code == 500
        assert answered.elapsed.total_seconds() < 15
        assert "password authentication failed" in served.said
        health = served.get("/_neon/health")
        assert health.status_code == 503
        assert health.json() == {"status": "unavailable", "error": "database_unavailable"}
        assert "wrong" not in served.said + health.text


@contextmanager
def _taken(port: int) -> Iterator[None]:
    """Another program has the port, and hangs up on whoever calls."""

    class Server(socketserver.TCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", port), socketserver.BaseRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _ask_all(served: Served) -> None:
    for path in PATHS:
        served.answer(path)


def _rewrite(project: Project, constructed: str) -> None:
    main = project.folder / "main.py"
    main.write_text(main.read_text().replace("Neon()", constructed))
