"""The page of versions over HTTP: kept, looked into, gone back to, deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cloud.neon import account_environ
from tests.conftest import remove_home, warm_home
from tests.emulator import serving as neon
from tests.neon_new_server import NeonNewServer
from tests.project import Project, clean_environ
from tests.studio.serving import Visitor, studio, visitor


@pytest.fixture
def people(project: Project) -> Project:
    """Its table has one person."""
    run(project, "CREATE TABLE people AS SELECT 'Ada' AS name")
    return project


@pytest.fixture
def inside(people: Project) -> Iterator[Visitor]:
    """Somebody in its studio."""
    with studio(people) as served, visitor(served) as found:
        yield found


def run(project: Project, statement: str) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def names(project: Project) -> list[str]:
    with psycopg.connect(project.url) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM people ORDER BY name")]


def listed(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = project.json("versions", "list")
    return found


def id_of(project: Project, name: str) -> str:
    [found] = [each["id"] for each in listed(project)["versions"] if each["name"] == name]
    return str(found)


def notice(page: str) -> str:
    """What the page says was done, or went wrong."""
    found = re.search(r'<p class="(?:said|error)" role="\w+">(.*?)</p>', page, re.DOTALL)
    assert found, page
    return unescape(found[1])


def seen(page: str) -> str:
    """What the question's form says of the versions that were there."""
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found, page
    return found[1]


def test_it_is_kept_and_gone_back_to_and_that_is_undone(people: Project, inside: Visitor) -> None:
    assert "None yet" in inside.read("versions")
    kept = inside.done("versions", name="good one")
    assert notice(kept) == "The database is kept as good one."
    assert re.search(r'>good one</strong> <span class="badge accent">by hand<', kept)
    assert "just now" in kept
    run(people, "DELETE FROM people")

    good = id_of(people, "good one")
    question = inside.read(f"versions/{good}/restore")
    assert 'Go back to the version "good one"?' in unescape(question)
    assert "becomes a version" in question
    inside.read("inspect")  # whose connection is spare now, and in nobody's way
    back = inside.done(f"versions/{good}/restore", seen=seen(question))
    assert names(people) == ["Ada"]
    [replaced] = [each["name"] for each in listed(people)["versions"] if each["name"] != "good one"]
    assert f"is back at good one. What there was before is kept as {replaced}." in notice(back)
    assert "before a restore" in back
    assert "Undo: back to good one" in back

    question = inside.read(f"versions/{id_of(people, replaced)}/restore")
    inside.done(f"versions/{id_of(people, replaced)}/restore", seen=seen(question))
    assert names(people) == []


def test_a_version_is_looked_into_in_a_copy_that_goes_by_itself(
    people: Project, inside: Visitor
) -> None:
    inside.done("versions", name="good")
    good = id_of(people, "good")
    run(people, "DELETE FROM people")
    copy = inside.send(f"versions/{good}/look")
    assert copy.status_code == 200
    segment = copy.url.path.split("/")[1]
    assert "This is a copy, <strong>preview-good</strong>" in copy.text
    assert "It goes by itself in" in copy.text
    [preview] = listed(people)["previews"]
    assert segment == f"branch-{preview['id']}"
    left = datetime.fromisoformat(preview["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=1) < left <= timedelta(hours=2)

    token = inside.token()
    answer = inside.client.post(
        f"/{segment}/query", data={"csrf": token, "query": "DELETE FROM people RETURNING name"}
    )
    assert ">Ada<" in answer.text
    assert "This is a copy" not in inside.read("query")
    for path in (f"/{segment}/inspect", f"/{segment}/versions"):
        assert "This is a copy" in inside.read(path)
    assert "Versions are kept of the project" in inside.read(f"/{segment}/versions")
    assert inside.open(f"/{segment}/versions/{good}/restore").status_code == 404

    with ThreadPoolExecutor(2) as tabs:
        again = list(tabs.map(lambda _: inside.send(f"versions/{good}/look"), range(2)))
    assert {answer.url.path.split("/")[1] for answer in again} == {segment}
    assert len(listed(people)["previews"]) == 1


def test_a_copy_of_now_is_deleted_after_a_question(people: Project, inside: Visitor) -> None:
    copy = inside.send("copies")
    segment = copy.url.path.split("/")[1]
    assert "This is a copy, <strong>copy-" in copy.text
    [branch] = listed(people)["previews"]
    page = inside.read("versions")
    assert f'href="/{segment}"' in page
    assert "goes by itself on <time" in page
    question = inside.read(f"copies/{branch['id']}/delete")
    assert "deleted with all that was changed in it" in question
    assert "by itself in 1 hour" in question
    assert "is deleted." in notice(inside.done(f"copies/{branch['id']}/delete"))
    assert listed(people)["previews"] == []
    assert inside.open(f"/{segment}/query").status_code == 404
    assert "somebody has deleted it" in inside.send(f"copies/{branch['id']}/delete").text
    assert names(people) == ["Ada"]


def test_a_branch_whose_time_is_over_is_shown_no_more(people: Project, inside: Visitor) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    made = people.json("versions", "preview", "--expires", "1h")
    assert made["name"] in inside.read("versions")
    record = Path(people.environ["NEONUP_HOME"], "databases", made["id"], "database.json")
    content = record.read_text()
    assert '"expires_at"' in content
    record.write_text(re.sub(r'("expires_at": )"[^"]*"', rf'\1"{past}"', content))
    assert made["name"] not in inside.read("versions")
    assert inside.open(f"/branch-{made['id']}/query").status_code == 404


def test_a_version_is_deleted_after_a_question(people: Project, inside: Visitor) -> None:
    inside.done("versions", name="good")
    good = id_of(people, "good")
    assert "deleted for good" in inside.read(f"versions/{good}/delete")
    assert listed(people)["versions"]
    assert notice(inside.done(f"versions/{good}/delete")) == "Good is deleted."
    assert listed(people)["versions"] == []
    for path in (f"versions/{good}/restore", f"versions/{good}/delete"):
        assert "somebody has deleted it meanwhile" in notice(inside.read(path))
        assert "somebody has deleted it meanwhile" in notice(inside.send(path).text)
    assert "somebody has deleted it" in notice(inside.send(f"versions/{good}/look").text)


def test_two_tabs_go_back_at_once(people: Project, inside: Visitor) -> None:
    """One does; the other is told, whether it comes meanwhile or after."""
    for name in ("one", "two"):
        inside.done("versions", name=name)
    paths = [f"versions/{id_of(people, name)}/restore" for name in ("one", "two")]
    tokens = [seen(inside.read(path)) for path in paths]
    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda path, token: inside.send(path, seen=token), paths, tokens))
    told = [
        answer
        for answer in answers
        if "another tab has asked for" in answer.text or "since you were asked" in answer.text
    ]
    assert len(told) == 1, [answer.text for answer in answers]
    assert len(listed(people)["versions"]) == 3
    assert names(people) == ["Ada"]


def test_a_question_that_is_no_longer_true_is_asked_again(people: Project, inside: Visitor) -> None:
    inside.done("versions", name="good")
    good = id_of(people, "good")
    old = seen(inside.read(f"versions/{good}/restore"))
    people.ok("versions", "checkpoint", "later")
    asked = inside.send(f"versions/{good}/restore", seen=old)
    assert "since you were asked" in notice(asked.text)
    assert 'Go back to the version "good"?' in unescape(asked.text)
    assert len(listed(people)["versions"]) == 2
    inside.done(f"versions/{good}/restore", seen=seen(asked.text))
    assert len(listed(people)["versions"]) == 3


def test_a_name_that_is_taken_is_said_and_kept_in_the_form(inside: Visitor) -> None:
    inside.done("versions", name="good")
    page = inside.send("versions", name="good").text
    assert "The name 'good' is taken." in notice(page)
    assert re.search(r'id="name"[^>]* value="good"', page)
    made = inside.done("versions", name=" ")
    assert "kept as checkpoint-" in notice(made)


def test_names_are_text(inside: Visitor) -> None:
    page = inside.done("versions", name='<b>"x"</b> & é')
    assert "<b>" not in page
    assert "&lt;b&gt;&#34;x&#34;&lt;/b&gt; &amp; é" in page


def test_nothing_can_be_changed_where_the_studio_only_reads(people: Project) -> None:
    people.ok("versions", "checkpoint", "good")
    good = id_of(people, "good")
    made = people.json("versions", "preview", "good")
    with studio(people, "--read-only") as served, visitor(served) as reader:
        page = reader.read("versions")
        assert ">good</strong>" in page
        assert "started with --read-only" in page
        assert f'href="/branch-{made["id"]}"' in page
        assert "<form" not in page
        assert "This is a copy" in reader.read(f"/branch-{made['id']}/query")
        for path in ("versions", "copies", f"versions/{good}/look", f"versions/{good}/restore",
                     f"versions/{good}/delete", f"copies/{made['id']}/delete"):  # fmt: skip
            assert reader.send(path).status_code == 403, path
    assert len(listed(people)["versions"]) == len(listed(people)["previews"]) == 1


def test_forms_are_sent_from_pages_of_this_session(people: Project, inside: Visitor) -> None:
    inside.done("versions", name="good")
    good = id_of(people, "good")
    for path in ("versions", "copies", f"versions/{good}/look", f"versions/{good}/restore",
                 f"versions/{good}/delete"):  # fmt: skip
        assert inside.client.post(f"/db/{path}", data={"seen": good}).status_code == 403, path
    assert len(listed(people)["versions"]) == 1


def test_a_database_without_versions_says_why_and_what_to_do(
    tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer, project: Project
) -> None:
    own = Project(tmp_path, {**project.environ, "DATABASE_URL": project.url})
    (tmp_path / "pyproject.toml").touch()
    with studio(own) as served, visitor(served) as found:
        page = unescape(found.read("versions"))
        assert "your own database, which neonup keeps no versions of" in page
        assert "Databases that neonup created have versions" in page
    folder = tmp_path / "unclaimed"
    folder.mkdir()
    unclaimed = Project(folder, clean_environ(neonup_home, **neon_new_server.environment))
    (folder / "pyproject.toml").touch()
    unclaimed.ok("up", "--provider", "neon.new")
    with studio(unclaimed) as served, visitor(served) as found:
        page = unescape(found.read("versions"))
        assert "There are no versions of a neon.new database." in page
        assert "`neonup claim` takes this one into your account." in page


def test_the_account_keeps_versions_as_well(
    tmp_path: Path, neonup_home: Path, warm_parts: Path
) -> None:
    home = warm_home(warm_parts)
    with neon.serving(home) as server:
        environ = clean_environ(neonup_home, **account_environ(server))
        (tmp_path / "pyproject.toml").touch()
        project = Project(tmp_path, environ)
        project.ok("up")
        run(project, "CREATE TABLE people AS SELECT 'Ada' AS name")
        with studio(project) as served, visitor(served) as inside:
            _of_an_account(project, inside)
    remove_home(home)


def _of_an_account(project: Project, inside: Visitor) -> None:
    inside.done("versions", name="good")
    good = id_of(project, "good")
    run(project, "DELETE FROM people")
    copy = inside.send(f"versions/{good}/look")
    segment = copy.url.path.split("/")[1]
    assert "This is a copy" in copy.text
    assert "It goes by itself in" in copy.text
    data = {"csrf": inside.token(), "query": "SELECT name FROM people", "read_only": "yes"}
    assert ">Ada<" in inside.client.post(f"/{segment}/query", data=data).text
    [preview] = listed(project)["previews"]
    assert preview["expires_at"]
    assert "is deleted." in notice(inside.done(f"copies/{preview['id']}/delete"))

    question = inside.read(f"versions/{good}/restore")
    assert "where your plan at Neon allows one more" in question
    back = inside.done(f"versions/{good}/restore", seen=seen(question))
    assert "is back at good." in notice(back)
    assert names(project) == ["Ada"]
    inside.done(f"versions/{good}/delete")
    assert "good" not in [each["name"] for each in listed(project)["versions"]]
