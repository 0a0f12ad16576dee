"""Versions of a project's database in an account, through its provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neonup.database import Database
from neonup.providers.registry import provider_class
from neonup.settings import resolve
from neonup.start.lookup import find_database
from neonup.versions import Versions
from neonup_cloud import NeonClient
from neonup_cloud.api.answers import CreatedProject
from tests.cloud.versions import numbers
from tests.emulator.api import Api, ask
from tests.emulator.persons import create_person
from tests.emulator.serving import NeonServer
from tests.mcp.conftest import agent, ok
from tests.project import Project


class Kept:
    """A database of the provider ``account``, and its versions."""

    def __init__(self, shop: Project, database: Database | None = None):
        settings = resolve(shop.folder)
        self.database = database or find_database(settings) or Database("", "none")
        found = provider_class(self.database.provider)(settings).versions(self.database)
        assert found is not None
        self.versions: Versions = found

    @property
    def numbers(self) -> list[int]:
        return numbers(self.database.url)

    def write(self, number: int) -> None:
        ask(self.database.url, "CREATE TABLE IF NOT EXISTS numbers (n int)")
        ask(self.database.url, "INSERT INTO numbers VALUES (%s)", number)


@pytest.fixture
def environ(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is one of the project's."""
    for name, value in shop.environ.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def created(owner: NeonClient, neon_server_here: NeonServer) -> CreatedProject:
    """A project that neonup did not create."""
    return owner.projects.create(name="team", org_id=neon_server_here.org_id)


@pytest.fixture
def team(created: CreatedProject) -> str:
    return created.project.id


@pytest.fixture
def adopted(shop: Project, created: CreatedProject, environ: None) -> Kept:
    """As `neonup adopt` records it."""
    url = created.connection_uris[0].connection_uri
    place = f"{created.project.id}/{created.branch.id}"
    return Kept(shop, Database(url, "account", id=place))


def test_of_a_project_that_neonup_created(shop: Project, name: str, environ: None) -> None:
    shop.ok()
    shop_now = Kept(shop)
    shop_now.write(1)
    one = shop_now.versions.checkpoint("one")
    assert shop_now.versions.history() == [one]
    shop_now.write(2)
    done = shop_now.versions.restore(one)
    assert shop_now.numbers == [1]
    before = done.before
    assert before is not None and before.automatic and before.name.startswith("before-")
    shop_now.versions.restore(before)
    assert shop_now.numbers == [1, 2]
    shop_now.versions.delete(one)
    assert one not in shop_now.versions.history()
    assert shop.json("status")["state"] == "ready"


def test_the_record_of_a_branch_does_not_go_stale(
    shop: Project, name: str, team: str, environ: None, owner: NeonClient
) -> None:
    """A restore moves the database to another branch; a killed one as well, and one elsewhere."""
    shop.ok("adopt", "--project", team)
    adopted = Kept(shop)
    adopted.write(1)
    one = adopted.versions.checkpoint("one")
    adopted.write(2)
    done = adopted.versions.restore(one)
    assert adopted.database.id != f"{team}/{done.branch_id}"
    assert adopted.numbers == [1]
    shown = shop.json("status")
    assert (shown["state"], shown["detail"]["branch"]) == ("ready", "main")
    adopted.write(3)
    again = Kept(shop).versions.restore(one)
    assert adopted.numbers == [1]
    assert "was not created by neonup" in shop.fails("destroy", "--yes")
    assert shop.json("adopt")["id"] == f"{team}/{again.branch_id}"
    assert [one.name for one in owner.branches.list(team)] == ["main"]


def test_branches_are_those_of_the_database(adopted: Kept, team: str, owner: NeonClient) -> None:
    adopted.write(1)
    one = adopted.versions.checkpoint()
    adopted.write(2)
    owner.branches.create(team, name="elsewhere", init_source="schema-only")
    preview = adopted.versions.preview(one)
    branch = adopted.versions.branch("dev")
    found = {one.name: one for one in adopted.versions.branches()}
    assert found == {preview.name: preview, "dev": branch}
    assert (numbers(preview.url), numbers(branch.url)) == ([1], [1, 2])
    for made in (preview, branch):
        adopted.versions.delete_branch(made)
    assert adopted.versions.branches() == []


def test_a_moment_is_gone_back_to(adopted: Kept) -> None:
    adopted.write(1)
    moment = ask(adopted.database.url, "SELECT clock_timestamp()")
    adopted.write(2)
    done = adopted.versions.restore_to(moment)
    assert adopted.numbers == [1]
    assert done.before is not None
    adopted.versions.restore(done.before)
    assert adopted.numbers == [1, 2]


def test_of_a_branch_that_neonup_created(
    shop: Project, name: str, team: str, environ: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neon keeps no versions of it, but its history."""
    monkeypatch.setenv("NEON_PROJECT_ID", team)
    shop.ok(NEON_PROJECT_ID=team)
    shop_now = Kept(shop)
    shop_now.write(1)
    moment = ask(shop_now.database.url, "SELECT clock_timestamp()")
    shop_now.write(2)
    done = shop_now.versions.restore_to(moment)
    assert shop_now.numbers == [1]
    assert done.before is None


def test_the_commands(shop: Project, name: str, created: CreatedProject) -> None:
    shop.ok("adopt", "--project", created.project.id)
    url = shop.url
    ask(url, "CREATE TABLE numbers AS SELECT 1 AS n")
    assert "Kept the database as good" in shop.ok("versions", "checkpoint", "good")
    ask(url, "DROP TABLE numbers")
    preview = shop.json("versions", "preview", "good")
    assert numbers(preview["url"]) == [1]
    listed = shop.json("versions", "list")
    assert [one["name"] for one in listed["versions"]] == ["good"]
    assert [one["name"] for one in listed["previews"]] == ["preview of good"]
    shop.ok("versions", "delete", "preview of good", "--yes")

    before = shop.env_file.read_text()
    done = shop.json("undo", "--yes")
    assert done["name"] == "good" and done["before"]["name"].startswith("before-")
    assert shop.url == url and numbers(url) == [1]
    after = shop.env_file.read_text()
    assert after == before.replace(created.branch.id, done["branch_id"]) != before

    assert "is back at before-" in shop.ok("undo", "--yes", done["before"]["name"])
    assert ask(url, "SELECT to_regclass('numbers')") is None


async def test_an_agent(shop: Project, name: str, created: CreatedProject) -> None:
    shop.ok("adopt", "--project", created.project.id)
    url = shop.url
    ask(url, "CREATE TABLE numbers AS SELECT 1 AS n")
    async with agent(shop, "--allow-writes") as client:
        await ok(client, "checkpoint", name="good")
        branch = await ok(client, "create_branch", name="try")
        await ok(client, "write_sql", statement="DROP TABLE numbers", branch=branch["name"])
        await ok(client, "write_sql", statement="UPDATE numbers SET n = 2")
        await ok(client, "restore", version="good")
        found = await ok(client, "run_sql", statement="TABLE numbers")
    assert found["rows"] == [[1]]
    # The branch has another id now; the record follows, and the URL stays.
    assert created.branch.id not in shop.env_file.read_text()
    assert shop.url == url and numbers(url) == [1]


def test_undo_on_a_free_plan_does_not_delete_what_it_goes_back_to(
    shop: Project, environ: None, neon_server_here: NeonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = create_person(Api(neon_server_here.base, neon_server_here.key))
    monkeypatch.setenv("NEON_API_KEY", person.api.key)
    with NeonClient() as neon:
        made = neon.projects.create(org_id=person.organization("free"))
    kept = Kept(shop, Database(made.connection_uris[0].connection_uri, "account", made.project.id))
    kept.write(1)
    kept.versions.checkpoint("first", automatic=True)
    second = kept.versions.checkpoint("second", automatic=True)
    assert kept.versions.history() == [second]
    kept.write(2)
    done = kept.versions.restore(second)
    assert kept.numbers == [1]
    assert done.before is None
    assert kept.versions.history() == [second]


@pytest.fixture
def serve_here(neon_server_here: NeonServer, neonup_home: object) -> Iterator[None]:
    """The local Neon is the one that `neonup serve` runs for this home."""
    home = resolve(None).home
    (home / "neon").mkdir(parents=True, exist_ok=True)
    url, key = home / "serve.url", home / "neon" / "api-key"
    url.write_text(neon_server_here.base.removesuffix("/api/v2"))
    key.write_text(neon_server_here.key)
    yield
    url.unlink()
    key.unlink()


@pytest.mark.usefixtures("serve_here")
def test_of_a_local_neon_without_any_variable(
    shop: Project, adopted: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("NEON_API_HOST", "NEON_API_KEY", "NEON_ORG_ID"):
        monkeypatch.delenv(variable)
    shop_now = Kept(shop, adopted.database)
    shop_now.write(1)
    one = shop_now.versions.checkpoint()
    shop_now.write(2)
    shop_now.versions.restore(one)
    assert shop_now.numbers == [1]
