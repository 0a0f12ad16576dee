"""The database going away costs a reconnect, not a page."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.django.site import Site
from tests.local.killing import crash, kill

ENTRIES = {
    "a connection a request": "django_neon.database()",
    "kept connections": "django_neon.database(conn_max_age=None)",
    "a pool": 'django_neon.database(OPTIONS={"pool": {"min_size": 1, "timeout": 20}})',
}
LOST = 0.7
"""Seconds: a crash may lose what was committed in the last 0.6, three turns of the WAL writer.

https://www.postgresql.org/docs/current/wal-async-commit.html
"""


@pytest.fixture(params=ENTRIES)
def site_with(site: Site, request: pytest.FixtureRequest) -> Site:
    site.databases(ENTRIES[request.param])
    site.managed("migrate")
    time.sleep(LOST)
    return site


def test_killed_between_two_requests_it_is_back(site_with: Site, neonup_home: Path) -> None:
    with site_with.runserver("--noreload", "--nothreading") as server:
        assert server.json("add") == {"notes": 1}
        for _ in range(2):
            kill(neonup_home)
            assert server.json()["name"] == "neondb"
        begin = time.monotonic()
        assert server.json("add")["notes"] in (1, 2)  # the last moments may be lost, DESIGN.md
        assert time.monotonic() - begin < 60


def test_stopped_between_two_requests_it_is_woken(site_with: Site) -> None:
    with site_with.runserver("--noreload", "--nothreading") as server:
        assert server.json("add") == {"notes": 1}
        site_with.ok("stop")
        assert server.json("add") == {"notes": 2}


def test_a_crash_of_a_backend_is_waited_for(site_with: Site, neonup_home: Path) -> None:
    with site_with.runserver("--noreload", "--nothreading") as server:
        for count in range(1, 4):
            crash(neonup_home)
            assert server.json("add")["notes"] <= count


def test_many_threads_that_find_it_dead_wake_it_once(site: Site, neonup_home: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    site.managed("migrate")
    with site.runserver("--noreload") as server:
        server.json()
        kill(neonup_home)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: server.json(), range(16)))
        assert len({answer["port"] for answer in answers}) == 1


def test_a_database_without_data_is_made_anew_under_the_same_url(
    site: Site, neonup_home: Path
) -> None:
    site.managed("migrate")
    url = site.url
    site.ok("destroy", "--yes")
    site.env_file.write_text(_record(url))
    with site.runserver() as server:
        assert f":{server.json()['port']}/" in url
        [said] = server.banners
        assert "created a local Postgres" in said


def _record(url: str) -> str:
    host = url.rpartition("@")[2].partition("/")[0]
    return (
        f"DATABASE_URL={url}\n# neonup: DATABASE_URL provider=local id=site-12345678 host={host}\n"
    )
