"""``.neon``, which Neon's own command writes: the branch in it, and its map of git branches."""

from __future__ import annotations

import json

import psycopg
import pytest

from neonup import SettingsError
from neonup_cloud import NeonClient
from neonup_cloud.account import linked as linked_file
from neonup_cloud.account import location as locations
from neonup_cloud.options import AccountOptions
from tests.cloud.neon import branches
from tests.emulator.official_commands import CLI, NODE
from tests.emulator.serving import NeonServer
from tests.project import Project
from tests.repository import make_repository, run_git

needs_neon = pytest.mark.skipif(
    NODE is None or not CLI.exists(), reason="the official command is not installed"
)


class Linked:
    """A folder, and a project of the team's with the branches main and dev."""

    def __init__(self, project: Project, neon: NeonClient, server: NeonServer, id_: str):
        self.project = project
        self.neon = neon
        self.server = server
        self.id = id_

    def official(self, *arguments: str) -> None:
        """Run Neon's own command, which writes ``.env.local`` as well unless it is told not to."""
        command = [str(NODE), str(CLI), "--no-analytics", "--config-dir"]
        done = self.project.command([*command, str(self.project.folder.parent), *arguments])
        assert done.returncode == 0, done.stderr + done.stdout

    def link(self, **values: object) -> None:
        (self.project.folder / ".neon").write_text(json.dumps({"projectId": self.id, **values}))

    def branch_id(self, name: str) -> str:
        (id_,) = [branch.id for branch in self.neon.branches.list(self.id) if branch.name == name]
        return id_

    def is_on(self, name: str, *, data: str | None = None) -> bool:
        """Whether ``.env`` records the branch, and its URL leads there."""
        recorded = f"provider=account id={self.id}/{self.branch_id(name)} "
        text = self.project.env_file.read_text()
        return recorded in text and self.project.query("SELECT name FROM branch") == (data or name)

    @property
    def names(self) -> list[str]:
        return branches(self.server, self.id)


@pytest.fixture
def linked(shop: Project, name: str, neon_server_here: NeonServer, owner: NeonClient) -> Linked:
    made = owner.projects.create(name=f"{name}-team")
    owner.operations.wait(made.operations)
    branch = owner.branches.create(made.project.id, name="dev")
    owner.operations.wait(branch.operations)
    for each in owner.branches.list(made.project.id):
        with psycopg.connect(locations.urls(owner, each).direct) as connection:
            connection.execute("CREATE TABLE branch (name) AS SELECT %s::text", [each.name])
    return Linked(shop, owner, neon_server_here, made.project.id)


@needs_neon
def test_the_branch_that_neons_own_command_pins_is_used_and_left_alone(linked: Linked) -> None:
    shop = linked.project
    (shop.folder / "seed.sql").write_text("CREATE TABLE seeded ()")
    (shop.folder / "pyproject.toml").write_text('[tool.neonup]\nseed = "seed.sql"\n')
    linked.official("link", "--project-id", linked.id, "--branch", "dev", "--no-env-pull")
    says = f"uses the branch dev of the project {linked.id}, as .neon says"
    assert says in shop.neonup("doctor").stdout
    said = shop.ok()
    assert "found a Neon database of your account" in said
    assert "the Neon branch dev, as .neon says" in said
    assert linked.is_on("dev") and linked.names == ["dev", "main"]
    assert shop.query("SELECT to_regclass('seeded') IS NULL") == "t"
    assert shop.json("status")["detail"]["branch"] == "dev"
    said = shop.fails("destroy", "--yes")
    assert "The Neon branch dev was not created by neonup" in said
    (shop.folder / ".neon").unlink()
    assert "was not created by neonup" in shop.fails("destroy", "--yes")
    assert linked.is_on("dev") and linked.names == ["dev", "main"]


@needs_neon
def test_commands_that_take_a_branch_use_the_one_that_is_checked_out(linked: Linked) -> None:
    shop = linked.project
    linked.official("checkout", "dev", "--project-id", linked.id, "--no-env-pull")
    assert "root branches" in shop.fails("snapshots", "create", "one")  # as Neon says of dev
    shop.ok("snapshots", "create", "one", "--branch", "main")
    other = linked.neon.projects.create(name="other").project.id
    shop.ok("snapshots", "create", "one", "--project", other)  # its default branch
    shop.ok("adopt")
    assert linked.is_on("dev")
    assert "was not created by neonup" in shop.fails("destroy", "--yes")
    shop.ok("adopt", "--project", linked.id, "--branch", "main")
    assert linked.is_on("main")
    linked.official("checkout", "dev", "--no-env-pull")
    shop.ok("adopt")  # the record says which branch it is
    assert linked.is_on("main")
    linked.official("checkout", "dev")  # writes the branch's URL into .env
    assert "your own database" in shop.ok()
    shop.ok("adopt", "--yes")
    assert linked.is_on("dev")


def test_a_setting_wins_over_the_branch_in_the_file(linked: Linked) -> None:
    shop = linked.project
    linked.link(branch="dev")
    shop.ok(NEONUP_ACCOUNT_BRANCH="feature")
    assert linked.names == ["dev", "feature", "main"]
    assert linked.is_on("feature", data="main")
    shop.ok("destroy", "--yes")
    assert linked.names == ["dev", "main"]
    shop.ok(NEON_PROJECT_ID=linked.id)
    assert len(linked.names) == 3
    shop.ok("destroy", "--yes", NEON_PROJECT_ID=linked.id)
    assert linked.names == ["dev", "main"]


def test_a_branch_that_neonup_created_is_deleted_also_where_it_is_checked_out(
    linked: Linked,
) -> None:
    shop = linked.project
    shop.ok(NEON_PROJECT_ID=linked.id, NEONUP_ACCOUNT_BRANCH="feature")
    linked.link(branch="feature")
    shop.ok("destroy", "--yes")
    assert linked.names == ["dev", "main"]


def test_what_replaces_the_branch_is_a_new_one(linked: Linked) -> None:
    shop = linked.project
    linked.link(branch="dev")
    shop.ok()
    said = shop.ok("reset", "--yes")
    assert "The old one still exists: The Neon branch dev was not created by neonup" in said
    assert len(linked.names) == 3
    shop.ok("destroy", "--yes")
    assert linked.names == ["dev", "main"]


def test_a_branch_that_is_used_after_a_lost_database_is_not_seeded(linked: Linked) -> None:
    """What an earlier start had to finish is no business of a branch of somebody's."""
    shop = linked.project
    (shop.folder / "seed.sql").write_text("SELECT fails")
    shop.fails(NEONUP_SEED="seed.sql", NEON_PROJECT_ID=linked.id)
    shop.env_file.unlink()
    (shop.folder / "seed.sql").write_text("CREATE TABLE seeded ()")
    linked.link(branch="dev")
    for _ in range(2):
        shop.ok(NEONUP_SEED="seed.sql")
        assert linked.is_on("dev")
        assert shop.query("SELECT to_regclass('seeded') IS NULL") == "t"


def test_a_branch_that_is_not_there_is_named(linked: Linked) -> None:
    shop = linked.project
    linked.link(branch="gone")
    for command in ((), ("snapshots", "create", "one"), ("adopt",)):
        said = shop.fails(*command)
        assert "names the branch 'gone'" in said and "neon checkout" in said, command
    assert not shop.env_file.exists() and linked.names == ["dev", "main"]


def test_a_file_that_cannot_be_used(shop: Project) -> None:
    contents = [
        '{"branch": 5}', '{"branchId": {}}', '{"git": "main"}', '{"git": {"map": []}}',
        '{"git": {"map": {"main": 1}}}', "\xff", "[" * 100_000,
    ]  # fmt: skip
    options, link = AccountOptions(), shop.folder / ".neon"
    for content in contents:
        link.write_bytes(content.encode("latin-1"))
        with pytest.raises(SettingsError, match=r"(?s)\.neon cannot be used.*neon link"):
            linked_file.link_of(options, shop.folder)
    said = shop.fails()
    assert ".neon cannot be used" in said and "neon link" in said
    assert not shop.env_file.exists()


@needs_neon
def test_git_branches_have_the_neon_branches_that_neon_git_has_noted(linked: Linked) -> None:
    shop = linked.project
    shop.environ["NEONUP_GIT_BRANCHES"] = "on"
    make_repository(shop)
    linked.official("checkout", "main", "--project-id", linked.id, "--no-env-pull")
    linked.official("git", "sync", "--no-env-pull")
    run_git(shop, "switch", "-q", "-c", "Topic/1")
    linked.official("checkout", "dev", "--no-env-pull")
    noted = json.loads((shop.folder / ".neon").read_text())
    noted["git"]["map"]["Topic/1"] = "dev"
    linked.link(**noted)
    assert "the Neon branch dev, as .neon says" in shop.ok()
    assert linked.is_on("dev")
    run_git(shop, "switch", "-q", "main")
    assert "the Neon branch main, which existed" in shop.ok()
    assert linked.is_on("main")
    run_git(shop, "switch", "-q", "-c", "other")  # of which nothing is noted
    assert "begins as a copy of main (the Neon branch other)" in shop.ok()
    run_git(shop, "switch", "-q", "Topic/1")
    shop.ok()
    assert linked.is_on("dev")
    assert "was not created by neonup" in shop.fails("destroy", "--yes")
    assert linked.names == ["dev", "main", "other"]


def test_with_git_branches_the_branch_that_is_checked_out_alone_is_none(linked: Linked) -> None:
    """A map of another project, or beside a folder that is no repository's root, is none."""
    shop = linked.project
    shop.environ["NEONUP_GIT_BRANCHES"] = "on"
    make_repository(shop)
    linked.link(branch="dev")
    shop.ok()
    assert len(linked.names) == 3
    shop.ok("destroy", "--yes")
    linked.link(branch="main", git={"map": {"main": "dev"}, "follow": True})
    shop.ok()
    assert linked.is_on("dev")
