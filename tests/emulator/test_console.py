"""The console's pages: what they show and do, to whom, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests import asking
from tests.emulator.api import Api, Project, ask
from tests.emulator.pages import Pages, session
from tests.emulator.serving import NeonServer


@pytest.fixture
def pages(neon_server_here: NeonServer) -> Iterator[Pages]:
    with session(neon_server_here) as found:
        yield found


@pytest.fixture
def stranger(neon_server_here: NeonServer, api: Api) -> Iterator[Pages]:
    """Somebody else, with nothing."""
    neon = neon_server_here.neon
    email = f"{neon.clock.now().timestamp()}@example.com"
    user, _ = neon.people.create_user(email)
    _, key = neon.identity.create_key(user, "default")
    with session(neon_server_here, key=key) as found:
        yield found


def test_who_is_not_signed_in_is_told_how(neon_server_here: NeonServer, project: Project) -> None:
    root = neon_server_here.base.removesuffix("/api/v2")
    with asking.client(base_url=root) as client:
        start = client.get("/")
        assert "neonup serve" in start.text
        assert "NEON_API_HOST" in start.text
        for secret in (neon_server_here.key, neon_server_here.neon.console_token, "shop"):
            assert secret not in start.text
        answer = client.get(f"/projects/{project.id}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")


def test_a_project_is_created_and_found(pages: Pages) -> None:
    page = pages.done("/projects", name="a <b>bold</b> name", branch="trunk")
    assert "a &lt;b&gt;bold&lt;/b&gt; name" in page
    assert "<b>bold</b>" not in page
    assert "trunk" in page
    assert "bold" in pages.read("/", search="BOLD")
    assert "Nothing matches" in pages.read("/", search="no such project")


def test_an_empty_console_teaches(stranger: Pages) -> None:
    page = stranger.read("/")
    assert "No project yet" in page
    assert "curl" in page


def test_projects_are_those_of_the_organization_that_is_chosen(
    pages: Pages, neon_server_here: NeonServer, project: Project
) -> None:
    neon = neon_server_here.neon
    other = neon.people.create_organization("Second", admin=neon.people.users()[0])
    pages.done("/projects", name="in the second one", org=other.id)
    assert "in the second one" in pages.read("/", org=other.id)
    assert project.id not in pages.read("/", org=other.id)
    assert "in the second one" not in pages.read("/")
    assert project.id in pages.read("/")


def test_the_tree_has_branches_snapshots_and_expiries(
    pages: Pages, project: Project, neon_server_here: NeonServer
) -> None:
    expires = neon_server_here.neon.clock.now() + timedelta(hours=5)
    project.create_branch("preview", expires_at=expires.isoformat())
    project.api.ok("POST", f"{project.main}/snapshot", None, name="before the sale")
    page = pages.read(f"/projects/{project.id}")
    tree = page[page.index('<svg class="tree"') : page.index('<ul class="legend"')]
    assert "<title" in tree
    assert "preview from main" in tree
    assert "Snapshot before the sale" in tree
    assert 'class="cross"' in tree
    table = page[page.index("<table") :]
    for text in ("preview", "before the sale", "default", "expires in"):
        assert text in table
    assert re.search(r"<time data-countdown[^>]*>4 hours</time>", table)


def test_branches_come_and_go(pages: Pages, project: Project) -> None:
    ask(project.url, "CREATE TABLE seen AS SELECT 1 AS id")
    path = f"/projects/{project.id}"
    page = pages.done(f"{path}/branches", name="dev", parent=project.branch, at="", lives="1h")
    assert "The branch dev is ready." in page
    (dev,) = (
        one
        for one in project.api.ok("GET", f"{project.path}/branches")["branches"]
        if one["name"] == "dev"
    )
    assert dev["expires_at"]
    assert "cannot be undone" in pages.read(f"{path}/branches/{dev['id']}/delete")
    assert "The branch dev is deleted." in pages.done(f"{path}/branches/{dev['id']}/delete")
    assert "It stays, since it is the default branch" in pages.read(
        f"{path}/branches/{project.branch}/delete"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "main"}, "Branch already exists."),
        ({"at": "yesterday"}, "no date and time"),
        ({"at": "2001-01-01T00:00:00"}, "outside of the history"),
        ({"parent": "br-nobody-knows-12345678"}, None),
    ],
)
def test_what_cannot_be_done_is_said(
    pages: Pages, project: Project, fields: dict[str, str], said: str | None
) -> None:
    answer = pages.send(f"/projects/{project.id}/branches", **fields)
    assert answer.status_code == (200 if said else 404)
    assert (said or "branch not found") in answer.text


def test_computes_are_started_and_suspended(pages: Pages, project: Project) -> None:
    path = f"/projects/{project.id}/endpoints/{project.endpoint}"
    assert "Active" in pages.done(f"{path}/start")
    assert "Idle" in pages.done(f"{path}/suspend")


def test_a_branch_is_restored_after_it_was_said_what_happens(
    pages: Pages, project: Project
) -> None:
    ask(project.url, "CREATE TABLE kept AS SELECT 1 AS id")
    path = f"/projects/{project.id}"
    page = pages.done(f"{path}/snapshots", branch=project.branch, name="good", slug="v-1")
    assert "<code>v-1</code>" in page
    assert "The snapshot good is kept." in page
    found = re.search(r"restore\?source=(snap-[a-z0-9-]+)", page)
    assert found
    ask(project.url, "DROP TABLE kept")
    restore = f"{path}/branches/{project.branch}/restore"
    plan = pages.read(restore, source=found[1])
    assert "gets the data of the snapshot good" in plan
    assert "main (old)" in plan
    assert "is restored" in pages.done(restore, source=found[1])
    assert ask(project.url, "SELECT count(*) FROM kept") == 1
    refused = pages.open(restore, source=project.branch, at="2001-01-01T00:00:00")
    assert refused.status_code == 404 or "outside of the history" in refused.text


def test_a_project_is_deleted_after_a_question(pages: Pages, api: Api) -> None:
    project = api.create_project(name="short-lived")
    path = f"/projects/{project.id}/delete"
    assert "can recover it" in pages.read(path)
    pages.done(path)
    assert pages.open(f"/projects/{project.id}").status_code == 404


def _paths(project: Project) -> list[str]:
    root = f"/projects/{project.id}"
    return [
        root,
        *(f"{root}/{name}" for name in ("connect", "query", "activity", "delete")),
        f"{root}/branches/{project.branch}/restore",
        f"{root}/branches/{project.branch}/delete",
    ]


def _forms(project: Project) -> list[str]:
    root = f"/projects/{project.id}"
    return [
        *(f"{root}/{name}" for name in ("branches", "snapshots", "query", "delete")),
        f"{root}/branches/{project.branch}/restore",
        f"{root}/branches/{project.branch}/delete",
        f"{root}/branches/{project.branch}/endpoints",
        f"{root}/endpoints/{project.endpoint}/start",
        f"{root}/endpoints/{project.endpoint}/suspend",
    ]


def test_projects_of_others_are_not_there(
    stranger: Pages, project: Project, neon_server_here: NeonServer
) -> None:
    for path in _paths(project):
        assert stranger.open(path).status_code == 404, path
    for path in _forms(project):
        assert stranger.send(path, query="SELECT 1", name="x").status_code == 404, path
    assert stranger.send("/projects", name="x", org=neon_server_here.org_id).status_code == 404
    own = re.search(r"/projects/([a-z0-9-]+)", str(stranger.send("/projects", name="own").url))
    assert own
    for path in (
        f"/projects/{own[1]}/branches/{project.branch}/delete",
        f"/projects/{own[1]}/branches/{project.branch}/restore",
        f"/projects/{own[1]}/connect?branch={project.branch}",
        f"/projects/{own[1]}/query?branch={project.branch}",
    ):
        assert stranger.open(path).status_code == 404, path
    for path, fields in {
        "query": {"branch": project.branch, "query": "SELECT 1"},
        "branches": {"parent": project.branch},
        "snapshots": {"branch": project.branch},
        f"endpoints/{project.endpoint}/start": {},
    }.items():
        assert stranger.send(f"/projects/{own[1]}/{path}", **fields).status_code == 404, path


def test_forms_without_their_token_are_refused(
    pages: Pages, stranger: Pages, project: Project
) -> None:
    for path in ("/projects", *_forms(project)):
        for fields in ({}, {"csrf": "wrong"}, {"csrf": stranger.token()}):
            answer = pages.client.post(path, data={"name": "x", "query": "SELECT 1", **fields})
            assert answer.status_code == 403, path
    branches = project.api.ok("GET", f"{project.path}/branches")["branches"]
    assert [one["name"] for one in branches] == ["main"]


def test_pages_hold_nothing_inline(pages: Pages, project: Project) -> None:
    for path in ("/", *_paths(project)):
        answer = pages.open(path)
        assert answer.status_code == 200
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not re.search(r"<style|<script(?! src=)| style=| on[a-z]+=", answer.text), path
