"""A query that runs is cancelled, by its page, by its limit or with the studio; and it alone."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from neonup_pages import query_box
from neonup_studio.server.running_queries import RunningQueries
from tests import asking, pgbouncer
from tests.project import Project, clean_environ
from tests.studio.serving import Visitor, studio, visitor
from tests.waiting import wait_until

ENDLESS = (
    "SELECT count(*) AS mark FROM generate_series(1, 100000) a, generate_series(1, 100000) b, "
    "generate_series(1, 100000) c"
)
"""Read-only takes no pg_sleep."""


def run_id(page: str) -> str:
    found = re.search(r'name="run" value="([\w-]+)"', page)
    assert found
    return found[1]


def count(connection: psycopg.Connection, mark: str) -> int:
    """How many statements with a mark in them are under way."""
    (number,) = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
        "AND query LIKE %s AND pid <> pg_backend_pid()",
        [f"%{mark}%"],
    ).fetchone() or (0,)
    return int(number)


def start(
    pool: ThreadPoolExecutor, shop: Visitor, run: str, query: str, **fields: str
) -> Future[httpx.Response]:
    """Send a query in the same session, and do not wait."""
    sent = {"csrf": shop.token(), "run": run, "query": query, **fields}
    session = asking.client(
        base_url=shop.client.base_url, cookies=dict(shop.client.cookies), timeout=180
    )

    def ask() -> httpx.Response:
        with session:
            return session.post("/db/query", data=sent)

    return pool.submit(ask)


@pytest.mark.parametrize("fields", [{"read_only": "yes"}, {}, {"action": "analyze"}])
def test_it_is_cancelled_from_its_page_and_no_other_is(
    shop: Visitor, database: psycopg.Connection, fields: dict[str, str]
) -> None:
    mark = f"mark_{len(fields)}{'action' in fields}"
    query = ENDLESS.replace("mark", mark)
    first, second = run_id(shop.read("query")), run_id(shop.read("query"))
    assert first != second
    with ThreadPoolExecutor(2) as pool:
        one = start(pool, shop, first, query, seconds="600", **fields)
        two = start(pool, shop, second, query, seconds="600", **fields)
        wait_until(lambda: count(database, mark) == 2, "two queries")
        assert shop.send("query/cancel", run="unknown").status_code == 404
        assert shop.send("query/cancel", run=first).status_code == 204
        assert "It was cancelled after" in one.result().text
        wait_until(lambda: count(database, mark) == 1, "the other one alone")
        assert not two.done()
        assert shop.send("query/cancel", run=second).status_code == 204
        assert "It was cancelled after" in two.result().text
    assert shop.send("query/cancel", run=first).status_code == 404
    wait_until(lambda: count(database, mark) == 0, "the end of both")


def test_another_page_cannot_cancel_it(shop: Visitor) -> None:
    sent = {"csrf": "wrong", "run": "x"}
    assert shop.client.post("/db/query/cancel", data=sent).status_code == 403


def test_it_ends_at_its_limit_also_when_the_browser_has_gone(
    shop: Visitor, database: psycopg.Connection
) -> None:
    query = ENDLESS.replace("mark", "left_alone")
    sent = {"csrf": shop.token(), "query": query, "seconds": "10", "read_only": "yes"}
    with pytest.raises(httpx.ReadTimeout):
        shop.client.post("/db/query", data=sent, timeout=1)
    wait_until(lambda: count(database, "left_alone") == 0, "the end of the query")
    said = "It ran for more than 10 seconds and was cancelled."
    wait_until(lambda: said in shop.read("query"), "the query in the history")


def test_it_ends_with_the_studio(project: Project) -> None:
    with (
        studio(project) as served,
        visitor(served) as shop,
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(project.url, autocommit=True) as database,
    ):
        page = shop.read("query")
        asked = start(
            pool, shop, run_id(page), "SELECT pg_sleep(3600) AS until_the_end", seconds="600"
        )
        wait_until(lambda: count(database, "until_the_end") == 1, "the query")
        assert served.end()[0] == 0
        wait_until(lambda: count(database, "until_the_end") == 0, "the end of the query")
        assert asked.exception() or asked.result().status_code


def test_what_is_cancelled_before_it_has_begun_does_not_run(project: Project) -> None:
    switch = query_box.CancelSwitch()
    switch.cancel()
    outcome = query_box.run(
        {"conninfo": project.url},
        "SELECT pg_sleep(3600)",
        read_only=False,
        limits=query_box.RunLimits(seconds=600),
        switch=switch,
    )
    assert outcome.problem
    assert outcome.problem.message.startswith("It was cancelled after")


def test_at_its_end_a_studio_cancels_what_comes_as_well() -> None:
    running = RunningQueries()
    with running.running(("s", "1")) as first:
        running.end()
        assert first.cancelled
    with running.running(("s", "2")) as second:
        assert second.cancelled


@pytest.mark.skipif(pgbouncer.PROGRAM is None, reason=pgbouncer.MISSING)
def test_behind_a_pooler_nothing_stays_and_it_is_cancelled(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "pooled"
    folder.mkdir()
    pooled = Project(folder, clean_environ(Path(project.environ["NEONUP_HOME"])))
    with pgbouncer.pooling(project.url) as pooler:
        pooled.env_file.write_text(f"DATABASE_URL={pooler.url}\n")
        with (
            studio(pooled) as served,
            visitor(served) as shop,
            psycopg.connect(project.url, autocommit=True) as database,
            ThreadPoolExecutor(1) as pool,
        ):
            for action in ("", "analyze"):
                shop.done("query", query="SELECT 1", read_only="yes", action=action)
            shop.done("query", query="SELECT 2")
            run = run_id(shop.read("query"))
            asked = start(pool, shop, run, "SELECT pg_sleep(3600) AS pooled", seconds="600")
            wait_until(lambda: count(database, "pooled") == 1, "the query")
            assert shop.send("query/cancel", run=run).status_code == 204
            assert "It was cancelled after" in asked.result().text
            for _ in range(2 * pooler.connections):
                answer = shop.done("query", query="SHOW statement_timeout")
                assert "<td>0</td>" in answer
