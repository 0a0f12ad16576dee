"""The connect page: secrets are masked, and what it says is executed as it is written."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_emulator.api.web import snippets
from tests.emulator.api import Project, ask
from tests.emulator.pages import Pages, session
from tests.emulator.serving import NeonServer


@pytest.fixture
def pages(neon_server_here: NeonServer) -> Iterator[Pages]:
    with session(neon_server_here) as found:
        yield found


def shown(page: str, id: str) -> str:  # noqa: A002
    found = re.search(rf'id="{id}"[^>]*>(.*?)</code>', page, re.DOTALL)
    assert found, id
    return html.unescape(found[1])


def secret(page: str, id: str) -> str:  # noqa: A002
    found = re.search(rf'id="{id}" data-secret="([^"]*)"', page)
    assert found, id
    return html.unescape(found[1])


def connect(pages: Pages, project: Project, name: str) -> tuple[str, dict[str, str]]:
    """The code of a snippet and the variables of its `.env`."""
    page = pages.read(f"/projects/{project.id}/connect", **{"for": name})
    variable, _, url = secret(page, "line").partition("=")
    return shown(page, "code"), {**os.environ, variable: url}


def test_the_connection_string_is_masked_and_works(pages: Pages, project: Project) -> None:
    page = pages.read(f"/projects/{project.id}/connect")
    assert secret(page, "url") == project.url
    password = project.url.split(":")[2].split("@")[0]
    for id in ("url", "line"):  # noqa: A001
        assert password not in shown(page, id)
        assert "***" in shown(page, id)
    assert ask(secret(page, "url"), "SELECT 1") == 1


def test_other_branches_databases_and_roles_can_be_chosen(pages: Pages, project: Project) -> None:
    created = project.create_branch("dev")
    branch = created["branch"]["id"]
    path = f"{project.path}/branches/{branch}"
    project.api.ok("POST", f"{path}/roles", {"role": {"name": "app"}})
    body = {"database": {"name": "second db", "owner_name": "app"}}
    project.api.ok("POST", f"{path}/databases", body)
    page = pages.read(f"/projects/{project.id}/connect", branch=branch, database="second db")
    assert ask(secret(page, "url"), "SELECT current_user || current_database()") == "appsecond db"
    chosen = {"branch": branch, "database": "neondb", "role": "app"}
    page = pages.read(f"/projects/{project.id}/connect", **chosen)
    assert ask(secret(page, "url"), "SELECT current_user || current_database()") == "appneondb"
    assert pages.open(f"/projects/{project.id}/connect", role="nobody").status_code == 404


def test_a_branch_without_a_compute_gets_one(pages: Pages, project: Project) -> None:
    body = {"branch": {"name": "cold"}}
    cold = project.api.ok("POST", f"{project.path}/branches", body)["branch"]["id"]
    page = pages.read(f"/projects/{project.id}/connect", branch=cold)
    assert "has no compute" in page
    pages.done(f"/projects/{project.id}/branches/{cold}/endpoints")
    page = pages.read(f"/projects/{project.id}/connect", branch=cold)
    assert ask(secret(page, "url"), "SELECT 1") == 1


@pytest.mark.parametrize("name", ["psycopg", "asyncpg", "sqlalchemy", "sqlalchemy-async"])
def test_python_snippets_run_as_they_are(pages: Pages, project: Project, name: str) -> None:
    code, environment = connect(pages, project, name)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("PostgreSQL 1")


def test_the_settings_for_django_run(pages: Pages, project: Project, tmp_path: Path) -> None:
    code, environment = connect(pages, project, "django")
    (tmp_path / "shop_settings.py").write_text(code)
    ask_it = (
        "import django; django.setup(); from django.db import connection; "
        "c = connection.cursor(); c.execute('SELECT version()'); print(c.fetchone()[0])"
    )
    environment |= {"DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ask_it],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.startswith("PostgreSQL 1"), done.stderr


def test_the_application_for_fastapi_answers(
    pages: Pages, project: Project, tmp_path: Path
) -> None:
    code, environment = connect(pages, project, "fastapi")
    (tmp_path / "shop_app.py").write_text(code)
    call = (
        "from fastapi.testclient import TestClient; import shop_app\n"
        "with TestClient(shop_app.app) as client: print(client.get('/').json()['version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", call],
        env=environment | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.startswith("PostgreSQL 1"), done.stderr


def test_every_snippet_has_its_page(pages: Pages, project: Project) -> None:
    for snippet in snippets.ALL:
        page = pages.read(f"/projects/{project.id}/connect", **{"for": snippet.name})
        assert snippet.install in html.unescape(page)
        assert "npg_" not in shown(page, "line")
        if snippet.name in {"asyncpg", "postgres-js"}:
            assert "channel_binding" not in secret(page, "line")
