"""The dependencies within one process: with and without a lifespan, on several event loops."""

import asyncio
import gc
import logging
import warnings
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import httpx
import psycopg
import pytest
from fastapi import Depends, FastAPI
from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

import neonup
from fastapi_neon import Neon
from tests.project import Project
from tests.waiting import PATIENCE, wait_until

PATHS = ("/connection", "/session", "/sync")
BOTH = pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])


def make_app(neon: Neon) -> FastAPI:
    app = FastAPI(lifespan=neon.lifespan)
    add = "INSERT INTO items VALUES (1)"

    @app.post("/connection")
    async def by_connection(
        commit: bool, connection: Annotated[AsyncConnection[Any], Depends(neon.connection)]
    ) -> None:
        await connection.execute(add)
        if commit:
            await connection.commit()

    @app.post("/session")
    async def by_session(
        commit: bool, session: Annotated[AsyncSession, Depends(neon.session)]
    ) -> None:
        await session.execute(text(add))
        if commit:
            await session.commit()

    @app.post("/sync")
    def by_sync_session(
        commit: bool, session: Annotated[Session, Depends(neon.sync_session)]
    ) -> None:
        session.execute(text(add))
        if commit:
            session.commit()

    @app.get("/provider")
    async def provider(database: Annotated[neonup.Database, Depends(neon.database)]) -> str:
        return database.provider

    return app


@pytest.fixture
def url(project: Project) -> str:
    """A database with a table."""
    project.ok()
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE items (n int)")
    return project.url


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM items").fetchone()
    assert row is not None
    return int(row[0])


def connections(url: str) -> int:
    """How many there are beside this one."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0]) - 1


def until_left(url: str, most: int) -> None:
    """The server learns a moment later that a connection was closed."""
    wait_until(lambda: connections(url) <= most, "connections are left")


def client(app: FastAPI) -> httpx.AsyncClient:
    """httpx's test client, which runs no lifespan."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def post_all(app: FastAPI, *, commit: bool) -> None:
    async with client(app) as asks:
        for path in PATHS:
            answered = await asks.post(path, params={"commit": commit})
            assert answered.status_code == 200, answered.text


@BOTH
def test_the_caller_commits_and_otherwise_nothing_stays(
    project: Project, url: str, driver: Literal["psycopg", "asyncpg"]
) -> None:
    app = make_app(Neon(project.folder, driver=driver))
    asyncio.run(post_all(app, commit=False))
    assert count(url) == 0
    asyncio.run(post_all(app, commit=True))
    assert count(url) == 3


@BOTH
def test_without_a_lifespan_each_loop_has_its_own_and_closes_it(
    project: Project, url: str, driver: Literal["psycopg", "asyncpg"]
) -> None:
    app = make_app(Neon(project.folder, driver=driver))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            asyncio.run(post_all(app, commit=False))
            gc.collect()
    until_left(url, 1)  # the threads' engine is not a loop's


def test_a_loop_that_ended_is_forgotten(project: Project, url: str) -> None:
    app = make_app(Neon(project.folder))
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def once() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await post_all(app, commit=False)

    for _ in range(3):
        asyncio.run(once())
    gc.collect()
    assert [loop() for loop in loops] == [None] * 3


def test_a_loop_ends_while_connections_are_being_made(
    project: Project, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "psycopg.pool")  # a kept warning keeps its connection
    neon = Neon(project.folder, pool={"min_size": 8, "num_workers": 8})

    async def once() -> None:
        async with asynccontextmanager(neon.connection)() as connection:
            await connection.execute("SELECT 1")

    for _ in range(10):
        asyncio.run(once())
    gc.collect()
    until_left(url, 0)


def test_after_the_lifespan_no_connection_is_left(project: Project, url: str) -> None:
    neon = Neon(project.folder)
    app = make_app(neon)

    async def live() -> None:
        async with neon.lifespan(app):
            await post_all(app, commit=False)
            assert connections(url) >= 2
        until_left(url, 0)

    asyncio.run(live())


def test_at_the_start_the_connections_that_will_be_asked_for_are_made(
    project: Project, url: str
) -> None:
    neon = Neon(project.folder, pool={"min_size": 3})
    app = make_app(neon)

    async def live() -> None:
        async with neon.lifespan(app), asyncio.timeout(PATIENCE):
            while connections(url) < 3:
                await asyncio.sleep(0.05)

    asyncio.run(live())


def test_first_uses_at_the_same_moment_share_one_pool(project: Project, url: str) -> None:
    app = make_app(Neon(project.folder, pool={"max_size": 2}))

    async def at_once() -> None:
        async with client(app) as asks:
            answers = [asks.post("/connection", params={"commit": True}) for _ in range(20)]
            assert {answer.status_code for answer in await asyncio.gather(*answers)} == {200}
        assert connections(url) <= 2

    asyncio.run(at_once())
    assert count(url) == 20


def test_a_connection_comes_back_as_it_was_lent(project: Project, url: str) -> None:
    neon = Neon(project.folder, pool={"max_size": 1})
    lending = asynccontextmanager(neon.connection)

    async def borrow() -> None:
        async with lending() as connection:
            await connection.set_autocommit(True)
        async with lending() as connection:
            assert not connection.autocommit
        with pytest.raises(psycopg.errors.UndefinedTable):
            async with lending() as connection:
                await connection.execute("SELECT * FROM nowhere")
        async with lending() as connection:
            await connection.execute("SELECT 1")

    asyncio.run(borrow())


def test_other_lifespans_run_within_and_their_states_are_merged(project: Project) -> None:
    project.ok()
    neon = Neon(project.folder)
    seen: list[str] = []

    @asynccontextmanager
    async def mine(app: Any) -> AsyncIterator[dict[str, str]]:
        seen.append((await neon.database()).provider)
        yield {"mine": "1"}
        seen.append("closed")

    async def bare(app: Any) -> AsyncIterator[dict[str, str]]:
        yield {"bare": "2"}

    async def live() -> None:
        async with neon.lifespan_with(mine, bare)(None) as state:
            assert state == {"mine": "1", "bare": "2"}
        async with neon.lifespan_with()(None) as state:
            assert state is None

    asyncio.run(live())
    assert seen == ["local", "closed"]


def test_two_databases_side_by_side(project: Project) -> None:
    project.ok()
    project.ok("--key", "ANALYTICS_DATABASE_URL")
    shop = Neon(project.folder)
    analytics = Neon(project.folder, key="ANALYTICS_DATABASE_URL")
    ports = []

    async def live() -> None:
        async with shop.lifespan_with(analytics.lifespan)(None):
            for neon in (shop, analytics):
                async with asynccontextmanager(neon.connection)() as connection:
                    ports.append(connection.info.port)

    asyncio.run(live())
    assert len(set(ports)) == 2


def test_constructing_and_naming_dependencies_makes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONUP_ENV", "development")
    make_app(Neon(project.folder))
    assert not project.env_file.exists()


@pytest.mark.parametrize(
    ("module", "used", "remedy"),
    [
        ("psycopg_pool", "connection", 'pip install "psycopg[binary,pool]>=3.2"'),
        ("sqlalchemy", "session", 'pip install "sqlalchemy[asyncio]" "psycopg[binary]"'),
        ("sqlalchemy", "sync_session", 'pip install "sqlalchemy" "psycopg[binary]"'),
    ],
)
def test_what_is_not_installed_is_named_with_the_way_to_install_it(
    project: Project, module: str, used: str, remedy: str
) -> None:
    project.ok()
    done = project.python(
        f"import sys, asyncio; sys.modules[{module!r}] = None\n"
        f"from fastapi_neon import Neon\nneon = Neon(); neon.{used}\n"
        "async def live():\n    async with neon.lifespan(None): pass\n"
        "asyncio.run(live())"
    )
    assert done.returncode == 1
    assert f"neon.{used} needs {module}, which is not installed." in done.stderr
    assert remedy in done.stderr
