"""A database of the user's own on another machine is looked at, and changed where that is allowed.

It is on this machine in truth, under a name that is not: neonup judges by both.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import psycopg
import pytest

from tests.postgres import Server
from tests.project import Project, clean_environ
from tests.studio.forms import form
from tests.studio.serving import Visitor, studio, visitor


@pytest.fixture
def plain_server_url(plain_server: Server) -> str:
    return plain_server.create("far_owner", "s3cret", f"far-{uuid.uuid4().hex}")


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path, plain_server_url: str) -> Project:
    """Its `.env` names a database on the machine far.example."""
    far = plain_server_url.replace("@127.0.0.1:", "@far.example:") + "?hostaddr=127.0.0.1"
    made = Project(tmp_path, clean_environ(neonup_home))
    made.env_file.write_text(f"DATABASE_URL={far}\n")
    with psycopg.connect(plain_server_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id int PRIMARY KEY, name text)")
        connection.execute("INSERT INTO people VALUES (1, 'Ada')")
    return made


ROW = ("tables/public/people/row", {"c": "id", "o": "eq", "v": "1"})


def _deletion(found: Visitor) -> str:
    path, parameters = ROW
    return found.read(path, **parameters)


def test_it_is_looked_at_and_not_changed(project: Project, plain_server_url: str) -> None:
    with studio(project) as served, visitor(served) as found:
        assert "Ada" in found.read("tables/public/people")
        page = _deletion(found)
        assert "delete-row" not in page
        assert "change-row" not in page
        assert "Add a row" not in found.read("tables/public/people")
        refused = found.send("tables/public/people/delete-row", c="id", o="eq", v="1")
        assert refused.status_code == 403
        assert "far.example" in refused.text
        assert "--allow-remote" in refused.text
        answer = found.send("query", query="DELETE FROM people")
        assert answer.status_code == 403
        assert "1" in found.done("query", query="SELECT count(*) FROM people", read_only="yes")
    with psycopg.connect(plain_server_url) as connection:
        assert connection.execute("SELECT name FROM people").fetchall() == [("Ada",)]


def test_it_is_changed_where_that_is_allowed(project: Project, plain_server_url: str) -> None:
    with studio(project, "--allow-remote") as served, visitor(served) as found:
        assert "DELETE 1" in found.done("query", query="DELETE FROM people")
        page = found.client.get("/db/tables/public/people/add-row").text
        assert form(page, "add-row").method == "post"
    with psycopg.connect(plain_server_url) as connection:
        assert connection.execute("SELECT name FROM people").fetchall() == []


def test_read_only_weighs_more_than_what_is_allowed(project: Project) -> None:
    with studio(project, "--allow-remote", "--read-only") as served, visitor(served) as found:
        answer = found.send("query", query="DELETE FROM people")
        assert answer.status_code == 403
        assert "--read-only" in answer.text
