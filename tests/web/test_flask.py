"""The adapter for Flask in docs/adapters.md, served."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.fastapi.served import serving
from tests.project import Project

DEBUG = ("flask", "--app", "shop", "run", "--debug", "--no-reload")
RUN = ("flask", "--app", "shop", "run")


def test_the_database_is_made_at_the_first_request_and_woken_by_a_later_one(
    flask_project: Project,
) -> None:
    with serving(flask_project, DEBUG) as served, ThreadPoolExecutor(8) as threads:
        assert not flask_project.env_file.exists()
        assert list(threads.map(served.answer, ["/"] * 8)) == [{"answer": 42}] * 8
        assert served.banners == 1
        flask_project.ok("stop")
        assert served.answer() == {"answer": 42}
        assert served.answer("/_neon/health") == {"status": "ok"}


def test_the_page_is_for_the_developer(flask_project: Project) -> None:
    with serving(flask_project, DEBUG) as served:
        page = served.get("/_neon")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "<h1>A local Postgres</h1>" in page.text
        hidden = served.get("/_neon", **{"x-forwarded-for": "203.0.113.9"})
        assert hidden.status_code == 404
        assert hidden.text == served.get("/no-such-page").text


def test_in_production_nothing_is_made(flask_project: Project) -> None:
    with serving(flask_project, RUN) as served:
        assert served.get("/").status_code == 500
        health = served.get("/_neon/health")
        assert health.status_code == 503
        assert served.get("/_neon").status_code == 404
    assert not flask_project.env_file.exists()
