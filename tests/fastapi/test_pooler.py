"""Behind a pgbouncer in transaction mode, where no statement stays prepared between requests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.fastapi.served import UVICORN, serving
from tests.pgbouncer import MISSING, PROGRAM, Pooler, pooling
from tests.project import Project

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

PATHS = ("/", "/session", "/sync", "/_neon/health")


@pytest.fixture
def pooler(project: Project) -> Iterator[Pooler]:
    """The project's database behind a pooler; nothing but the environment tells of it."""
    project.ok()
    url = project.url
    project.env_file.unlink()
    with pooling(url) as pooler:
        yield pooler


def test_the_pooler_is_one_that_breaks_what_is_prepared_by_name(pooler: Pooler) -> None:
    arguments = {"prepare_threshold": 0, "autocommit": True}
    with ThreadPoolExecutor(4) as pool, pytest.raises(psycopg.DatabaseError):

        def ask(_: int) -> None:
            with psycopg.connect(pooler.url, **arguments) as connection:  # type: ignore[arg-type]
                for _turn in range(20):
                    connection.execute("SELECT %s::int", [1])

        list(pool.map(ask, range(8)))


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
@pytest.mark.parametrize("by_name", [True, False], ids=["recognised", "said so"])
def test_many_requests_at_once(
    project: Project, pooler: Pooler, driver: str, by_name: bool
) -> None:
    pooled = "" if by_name else ", pooled=True"
    main = project.folder / "main.py"
    main.write_text(main.read_text().replace("Neon()", f"Neon(driver={driver!r}{pooled})"))
    url = pooler.neon_url if by_name else pooler.url
    with serving(project, UVICORN, DATABASE_URL=url) as served, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(served.get, PATHS * 40))
        assert {answer.status_code for answer in answers} == {200}, served.said


def test_past_the_pooler(project: Project, pooler: Pooler) -> None:
    main = project.folder / "main.py"
    main.write_text(
        main.read_text()
        .replace("Neon()", "Neon(pooled=False)")
        .replace(
            "SELECT current_database()",
            "SELECT current_setting('unix_socket_directories') "
            "|| coalesce(host(inet_client_addr()), ' by socket')",
        )
    )
    with serving(project, UVICORN, DATABASE_URL=pooler.neon_url) as served:
        assert str(served.answer()).endswith(" by socket")  # pgbouncer would connect by TCP
