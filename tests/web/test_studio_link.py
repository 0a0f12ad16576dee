"""The development pages of FastAPI, Flask and Django lead to the project's studio."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import psycopg
import pytest

from tests import asking
from tests.axe import violations, with_axe
from tests.browser import chromium
from tests.django.site import Site
from tests.fastapi.conftest import MAIN
from tests.fastapi.served import RELOAD, Served, serving
from tests.project import Project, clean_environ
from tests.studio.serving import studio, visitor
from tests.web.test_flask import DEBUG

_LINK = re.compile(r'<a href="(http://127\.0\.0\.1:\d+)" rel="noreferrer">Open the studio</a>')
_COMMAND = "<code>neonup studio</code> shows its tables"


@pytest.fixture
def fastapi_project(project: Project) -> Project:
    (project.folder / "main.py").write_text(MAIN)
    return project


@pytest.fixture
def site(tmp_path: Path, neonup_home: Path) -> Site:
    """A Django project whose urls.py has the line of docs/django.md."""
    folder = tmp_path / "site"
    folder.mkdir()
    made = Site(folder, clean_environ(neonup_home, PYTHONDONTWRITEBYTECODE="1")).start()
    line = 'urlpatterns += [path("_neon", include("django_neon.urls"))]'
    urls = made.read("shop/urls.py")
    made.write("shop/urls.py", f"{urls}\nfrom django.urls import include\n{line}\n")
    return made


def linked(text: str) -> str:
    """Where the page's link leads to."""
    [found] = _LINK.findall(text)
    assert _COMMAND not in text
    return str(found)


def check(served: Served, project: Project) -> None:
    assert _COMMAND in served.get("/_neon").text
    with studio(project) as opened, visitor(opened) as inside:
        root = linked(served.get("/_neon").text)
        assert root == opened.root
        assert inside.client.get(root).status_code == 200
    page = served.get("/_neon").text
    assert _COMMAND in page
    assert not _LINK.search(page)


def test_fastapi(fastapi_project: Project) -> None:
    with serving(fastapi_project, RELOAD) as served:
        check(served, fastapi_project)


def test_flask(flask_project: Project) -> None:
    with serving(flask_project, DEBUG) as served:
        check(served, flask_project)


def test_where_it_is_not_installed_the_page_says_how_to_get_it(fastapi_project: Project) -> None:
    """An application in an environment without the package, here hidden from it."""
    hides = "import sys; sys.modules['neonup_studio'] = None\n"
    (fastapi_project.folder / "main.py").write_text(hides + MAIN)
    with serving(fastapi_project, RELOAD) as served:
        page = served.get("/_neon").text
    assert _COMMAND in page
    assert "after <code>pip install &quot;neonup[studio]&quot;</code>" in page


def test_django(site: Site) -> None:
    with site.runserver() as served:
        page = served.get("_neon")
        assert page.status_code == 200
        assert "<h1>A local Postgres</h1>" in page.text
        assert _COMMAND in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert served.json("_neon/health") == {"status": "ok"}
        with studio(site) as opened:
            assert linked(served.get("_neon").text) == opened.root
        assert len(served.banners) == 1, served.said


@with_axe
def test_axe_finds_nothing_on_djangos_page(site: Site, tmp_path: Path) -> None:
    with site.runserver() as served, chromium(tmp_path / "profile") as browser:
        browser.open(str(served.get("_neon").url))
        assert browser.text("h1") == "A local Postgres"
        assert violations(browser) == []


def test_the_page_of_django_is_for_the_developer(site: Site) -> None:
    with site.runserver() as served:
        url = str(served.get("_neon").url)
        for headers in (
            {"host": "attacker.example"},
            {"x-forwarded-for": "203.0.113.9"},
            {"origin": "https://attacker.example"},
        ):
            assert asking.get(url, headers=headers, timeout=60).status_code in {400, 404}, headers
    site.set("DEBUG = False\nALLOWED_HOSTS = ['127.0.0.1']")
    with site.runserver("--insecure") as served:
        assert served.get("_neon").status_code == 404
        assert served.json("_neon/health") == {"status": "ok"}


def test_djangos_page_says_what_is_wrong(site: Site) -> None:
    with site.runserver() as served:
        assert served.get("_neon").status_code == 200
        with psycopg.connect(site.url, autocommit=True) as connection:
            connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'another'")
        page = served.get("_neon")
        assert page.status_code == 503
        assert "The database does not answer" in page.text
        assert "password authentication failed" in page.text
        assert str(site.url) not in page.text
        assert served.get("_neon/health").status_code == 503


def test_djangos_page_without_an_entry_of_ours_is_not_there(site: Site) -> None:
    site.set(
        'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}'
    )
    with site.runserver() as served:
        assert served.get("_neon").status_code == 404


def test_under_asgi(site: Site) -> None:
    command = [sys.executable, "-m", "uvicorn", "shop.asgi:application", "--port", "0"]
    with site.process(command) as served:
        served.until(lambda: "Uvicorn running on" in served.said)
        [url] = re.findall(r"running on (http://\S+)", served.said)
        page = asking.get(f"{url}/_neon", timeout=60)
        assert page.status_code == 200, served.said
        assert _COMMAND in page.text
