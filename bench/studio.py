"""The studio's pages of a table of 1,000,000 rows, beside the same rows asked for plainly."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psycopg
from dotenv import dotenv_values

from bench import world
from bench.figures import Case, Pair
from bench.timing import in_turns, milliseconds
from neonup_studio.data.places import RowPlace

_ROWS = 1_000_000
_PAGE = 50
_TABLE = f"""
CREATE TABLE things AS
SELECT i AS id, md5(i::text) AS name, i % 997 AS score, jsonb_build_object('number', i) AS data,
    now() - i * interval '1 s' AS at
FROM generate_series(1, {_ROWS}) i;
ALTER TABLE things ADD PRIMARY KEY (id);
CREATE INDEX ON things (score);
ANALYZE things
"""


@dataclass(frozen=True)
class _Studio:
    client: httpx.Client
    url: str

    def page(self, **asked: str) -> None:
        """Open a page of the table, with all its rows on it."""
        answer = self.client.get("/db/tables/public/things", params=asked)
        assert answer.status_code == 200, answer.text
        assert answer.text.count('name="k"') == _PAGE

    def rows(self, query: str) -> None:
        """Connect, and ask for the rows."""
        with psycopg.connect(self.url) as connection:
            assert len(connection.execute(query.encode()).fetchall()) == _PAGE


@contextmanager
def _opened() -> Iterator[_Studio]:
    with world.home() as home, world.project(home) as folder:
        home.run("--yes", cwd=folder)
        url = dotenv_values(folder / ".env")["DATABASE_URL"]
        assert url
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in _TABLE.split(";\n"):
                connection.execute(statement.encode())
        home.settle()
        command = [world.NEONUP, "studio", "--json"]
        with subprocess.Popen(
            command, cwd=folder, env=home.environ, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                link = json.loads(process.stdout.readline())["url"]
                with httpx.Client(
                    base_url=link.partition("/enter")[0], follow_redirects=True, timeout=60
                ) as client:
                    assert client.get(link).status_code == 200
                    yield _Studio(client, url)
            finally:
                process.send_signal(signal.SIGINT)


def _beside(ours: Callable[[_Studio], None], query: str) -> Callable[[int], Pair]:
    def measure(repeats: int) -> Pair:
        with _opened() as studio:
            return in_turns(
                lambda: milliseconds(lambda: ours(studio)),
                lambda: milliseconds(lambda: studio.rows(query)),
                repeats * 5,
            )

    return measure


opening = _beside(lambda studio: studio.page(), f"SELECT * FROM things ORDER BY id LIMIT {_PAGE}")
"""A table is opened."""
deep = _beside(
    lambda studio: studio.page(move="next", at=RowPlace((str(_ROWS // 2),)).text),
    f"SELECT * FROM things WHERE id > {_ROWS // 2} ORDER BY id LIMIT {_PAGE}",
)
"""A page that half of the rows are before."""
sorted_ = _beside(
    lambda studio: studio.page(
        sort="score", move="next", at=RowPlace((str(_ROWS // 2),), "500").text
    ),
    f"SELECT * FROM things WHERE (score, id) > (500, {_ROWS // 2})"
    f" ORDER BY score, id LIMIT {_PAGE}",
)
"""A page in the middle of an order that has an index."""


def _case(name: str, what: str, measure: Callable[[int], Pair]) -> Case:
    what = f"the studio: {what} of {_ROWS:,} rows"
    return Case(name, what, "psycopg: connecting, the same rows", "ms", 2.0, measure)


CASES = (
    _case("studio-open", "the first page", opening),
    _case("studio-deep", "a page from the middle", deep),
    _case("studio-sort", "a page in the order of another column", sorted_),
)
