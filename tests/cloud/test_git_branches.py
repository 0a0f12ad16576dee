"""``git_branches = true`` with the provider ``account``: a Neon branch for each git branch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neonup_cloud import NeonClient
from neonup_cloud.account.git_branches import neon_name, other_neon_name
from neonup_cloud.api.answers import Branch
from tests.cloud.neon import branches, projects
from tests.cloud.relay import Relay
from tests.emulator.official_commands import CLI, NODE
from tests.emulator.serving import NeonServer
from tests.project import Project
from tests.repository import make_repository, run_git

ENSURE = "import neonup; neonup.ensure()"
VALUE = "SELECT n FROM state"


class Shop:
    """A project on the git branch main, whose database is a project in the account."""

    def __init__(self, project: Project, neon: NeonClient, server: NeonServer, id_: str):
        self.project = project
        self.neon = neon
        self.server = server
        self.id = id_

    def switch(self, *arguments: str) -> None:
        run_git(self.project, "switch", "-q", *arguments)

    def branch(self, name: str) -> Branch:
        (branch,) = [one for one in self.neon.branches.list(self.id) if one.name == name]
        return branch

    def names(self) -> list[str]:
        return branches(self.server, self.id)

    def set(self, number: int) -> None:
        self.project.query(f"UPDATE state SET n = {number}")

    def delete(self, git_branch: str) -> None:
        """Delete a git branch whose compute nobody uses any more."""
        run_git(self.project, "branch", "-q", "-D", git_branch)
        for endpoint in self.neon.endpoints.list(self.id):
            self.neon.operations.settle(self.id)
            if endpoint.current_state == "active":
                self.neon.endpoints.suspend(self.id, endpoint.id)
        self.neon.operations.settle(self.id)


@pytest.fixture
def repository(shop: Project, name: str, neon_server_here: NeonServer, owner: NeonClient) -> Shop:
    """Its table says 1."""
    make_repository(shop)
    shop.ok()
    shop.query("CREATE TABLE state AS SELECT 1 AS n")
    (project,) = projects(neon_server_here, name)
    return Shop(shop, owner, neon_server_here, project.id)


def test_each_git_branch_has_a_neon_branch_and_its_url_is_in_the_file(repository: Shop) -> None:
    shop, first = repository.project, dict(repository.project.variables)
    repository.switch("-c", "feature/More")
    said = shop.ok()
    assert "git branch feature/More: begins as a copy of main" in said
    assert "the Neon branch feature/more" in said
    branch = repository.branch("feature/more")
    assert branch.parent_id == repository.branch("main").id and branch.expires_at is None
    assert f"id={repository.id}/{branch.id} " in shop.env_file.read_text()
    assert shop.variables["DATABASE_URL"] != first["DATABASE_URL"]
    repository.set(2)
    assert shop.query(VALUE) == "2"
    status = shop.json("status")["detail"]
    assert (status["branch"], status["git branch"]) == ("feature/more", "feature/More")
    repository.switch("main")
    assert "git branch main: its own data" in shop.ok()
    assert dict(shop.variables) == first
    assert shop.query(VALUE) == "1"
    repository.switch("feature/More")
    assert shop.query(VALUE) == "2"  # whichever command is the first on it
    assert repository.names() == ["feature/more", "main"]


def test_what_stays_with_the_database_that_is_recorded(repository: Shop) -> None:
    """No sign of development, production, CI, a detached HEAD, the setting off, NEONUP=off."""
    shop, content = repository.project, repository.project.env_file.read_bytes()
    repository.switch("-c", "topic")
    environs: list[Mapping[str, str]] = [
        {},
        {"NEONUP_ENV": "production"},
        {"NEONUP_ENV": "development", "CI": "true"},
        {"NEONUP_ENV": "development", "NEONUP_GIT_BRANCHES": "off"},
        {"NEONUP": "off"},
    ]
    for environ in environs:
        done = shop.python(ENSURE, **environ)
        assert done.returncode == 0, done.stderr
    run_git(shop, "switch", "-q", "--detach", "main")
    shop.ok()
    assert shop.env_file.read_bytes() == content
    assert repository.names() == ["main"]
    records = Path(shop.environ["NEONUP_HOME"]) / "account" / "git-branches"
    shutil.rmtree(records)
    repository.switch("topic")
    assert shop.python(ENSURE, NEONUP_ENV="production").returncode == 0
    assert not records.exists()


def test_starts_at_the_same_moment_create_one_branch(repository: Shop) -> None:
    shop = repository.project
    repository.switch("-c", "topic")
    with ThreadPoolExecutor(4) as threads:
        starts = [threads.submit(shop.python, ENSURE, NEONUP_ENV="development") for _ in range(4)]
    done = [start.result() for start in starts]
    assert [one.returncode for one in done] == [0] * 4, done
    assert repository.names() == ["main", "topic"]
    assert repository.branch("topic").id in shop.env_file.read_text()


def test_clones_come_to_one_branch_by_its_name(repository: Shop, tmp_path: Path) -> None:
    """Two clones, each with a branch of the team's project, go to one git branch at once."""
    clones = []
    for number in (1, 2):
        clone = Project(tmp_path / f"clone-{number}", dict(repository.project.environ))
        clone.folder.mkdir()
        clone.environ["NEON_PROJECT_ID"] = repository.id
        make_repository(clone)
        clone.ok()
        run_git(clone, "switch", "-q", "-c", "Topic!")
        clones.append(clone)
    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(lambda clone: clone.ok(), clones))
    assert sum("begins as a copy of main" in text for text in said) == 1
    assert sum("the Neon branch topic, which existed" in text for text in said) <= 1
    branch = repository.branch("topic")
    assert all(branch.id in clone.env_file.read_text() for clone in clones)
    for clone in clones:  # the project's own default branch is nobody's for its name
        run_git(clone, "switch", "-q", "main")
        clone.ok()
        assert repository.branch("main").id not in clone.env_file.read_text()


def test_a_git_branch_called_like_the_default_branch_gets_another_name(
    shop: Project, name: str, neon_server_here: NeonServer, owner: NeonClient
) -> None:
    make_repository(shop)
    run_git(shop, "switch", "-q", "-c", "topic")
    shop.ok()
    (project,) = projects(neon_server_here, name)
    run_git(shop, "switch", "-q", "main")
    shop.ok()
    assert branches(neon_server_here, project.id) == ["main", other_neon_name("main")]
    run_git(shop, "switch", "-q", "topic")
    shop.ok()
    assert f"id={project.id} " in shop.env_file.read_text()


def test_a_lost_answer_and_a_killed_start_leave_one_branch(repository: Shop, relay: Relay) -> None:
    shop, path = repository.project, f"POST /api/v2/projects/{repository.id}/branches"
    repository.switch("-c", "topic")
    relay.lose.append(path)
    content = shop.env_file.read_bytes()
    shop.env_file.chmod(0o400)
    shop.folder.chmod(0o500)
    done = shop.neonup(NEON_API_HOST=relay.base)
    shop.folder.chmod(0o700)
    shop.env_file.chmod(0o600)
    if done.returncode:  # else it was root, who can write anyway
        assert shop.env_file.read_bytes() == content
        assert "Traceback" not in done.stderr
        assert "its own data" in shop.ok(NEON_API_HOST=relay.base)
    assert repository.names() == ["main", "topic"]
    assert repository.branch("topic").id in shop.env_file.read_text()
    assert relay.asked.count(path) == 1


def test_neon_that_refuses_leaves_everything_as_it_was(repository: Shop) -> None:
    shop, content = repository.project, repository.project.env_file.read_bytes()
    repository.switch("-c", "topic")
    said = shop.fails(NEON_API_KEY="nobody")
    assert "`NEONUP_GIT_BRANCHES=off neonup` goes on with the data of main" in said
    assert shop.env_file.read_bytes() == content
    assert "found" in shop.ok(NEON_API_KEY="nobody", NEONUP_GIT_BRANCHES="off")
    assert "begins as a copy of main" in shop.ok()


def test_a_url_in_the_environment_cannot_be_exchanged(repository: Shop) -> None:
    shop = repository.project
    repository.switch("-c", "topic")
    said = shop.fails(DATABASE_URL=shop.url)
    assert "DATABASE_URL is set in the environment" in said
    assert repository.names() == ["main"]


def test_a_copied_folder_goes_over_only_where_the_owner_is_named(
    repository: Shop, tmp_path: Path
) -> None:
    copied = Project(tmp_path / "copy", repository.project.environ)
    shutil.copytree(repository.project.folder, copied.folder)
    run_git(copied, "switch", "-q", "-c", "topic")
    content = copied.env_file.read_bytes()
    said = copied.fails()
    assert f"This is the database of {repository.project.folder}" in said
    assert copied.env_file.read_bytes() == content and repository.names() == ["main"]
    copied.ok(NEONUP_OWNER=str(repository.project.folder))
    assert repository.branch("topic").id in copied.env_file.read_text()


def test_a_branch_that_was_deleted_at_neon_is_created_again(repository: Shop) -> None:
    shop = repository.project
    repository.switch("-c", "topic")
    shop.ok()
    repository.switch("main")
    shop.ok()
    repository.neon.operations.settle(repository.id)
    repository.neon.branches.delete(repository.id, repository.branch("topic").id)
    repository.neon.operations.settle(repository.id)
    repository.switch("topic")
    assert "its Neon branch was gone" in shop.ok()
    assert shop.query(VALUE) == "1"


def test_a_restore_keeps_the_git_branch(repository: Shop) -> None:
    """It moves the database to another Neon branch, whose URL is the same."""
    shop = repository.project
    shop.ok("versions", "checkpoint", "good")
    repository.set(5)
    repository.switch("-c", "topic")
    shop.ok()
    repository.switch("main")
    shop.ok("undo", "-y")
    assert shop.query(VALUE) == "1"
    repository.switch("topic")
    assert shop.query(VALUE) == "5"
    repository.switch("main")
    assert shop.query(VALUE) == "1"


def test_a_folder_that_was_moved_takes_its_git_branches_along(repository: Shop) -> None:
    shop = repository.project
    repository.switch("-c", "topic")
    shop.ok()
    repository.set(2)
    shop.folder = shop.folder.rename(shop.folder.with_name("moved"))
    repository.switch("main")
    assert shop.query(VALUE) == "1"
    assert f"id={repository.id} " in shop.env_file.read_text()
    repository.switch("topic")
    assert shop.query(VALUE) == "2"
    repository.switch("main")
    shop.ok()
    repository.delete("topic")
    assert "Deleted 1" in shop.ok("prune", "-y")
    assert repository.names() == ["main"]


def test_reset_on_one_git_branch_leaves_the_data_of_the_others(repository: Shop, name: str) -> None:
    shop = repository.project
    repository.switch("-c", "topic")
    shop.ok()
    repository.set(2)
    repository.switch("main")
    done = shop.neonup("reset", "-y")
    assert done.returncode == 0, done.stderr
    assert "has the data of other git branches as well: topic" in done.stdout + done.stderr
    assert len(projects(repository.server, name)) == 2
    assert shop.query("SELECT to_regclass('state') IS NULL") == "t"
    repository.switch("topic")
    assert shop.query(VALUE) == "2"
    repository.switch("main")
    assert shop.query("SELECT to_regclass('state') IS NULL") == "t"


def test_reset_and_destroy_are_of_the_git_branch_alone(repository: Shop) -> None:
    shop = repository.project
    repository.switch("-c", "topic")
    shop.ok()
    repository.set(2)
    old = repository.branch("topic").id
    shop.ok("reset", "-y")
    assert shop.query(VALUE) == "1"  # of its parent
    assert old not in shop.env_file.read_text()
    assert len(repository.names()) == 2 and "main" in repository.names()
    repository.set(3)
    repository.switch("main")
    shop.ok()
    said = shop.fails("destroy", "-y")
    assert "has the data of other git branches as well: topic" in said
    repository.switch("topic")
    assert shop.query(VALUE) == "3"
    shop.ok("destroy", "-y")
    assert repository.names() == ["main"]
    assert "begins as a copy of main" in shop.ok()
    assert shop.query(VALUE) == "1"


def test_force_gives_the_git_branch_alone_another_neon_branch(repository: Shop) -> None:
    """Of the same parent, also before a start has come to the git branch; the old one stays."""
    shop, main = repository.project, dict(repository.project.variables)
    repository.switch("-c", "topic")
    said = shop.ok("--force")
    assert "git branch topic: begins as a copy of main" in said
    first = repository.branch("topic")
    assert first.id not in shop.env_file.read_text()
    assert len(repository.names()) == 3
    repository.set(2)
    second = dict(shop.variables)
    shop.ok("--force")
    assert shop.query(VALUE) == "1"  # as its parent has it
    assert len(repository.names()) == 4
    repository.set(3)
    third = dict(shop.variables)
    assert main["DATABASE_URL"] not in third.values() and second != third
    repository.switch("main")
    shop.ok()
    assert dict(shop.variables) == main and shop.query(VALUE) == "1"
    repository.switch("topic")
    shop.ok()
    assert dict(shop.variables) == third and shop.query(VALUE) == "3"
    made = [branch for branch in repository.neon.branches.list(repository.id) if branch.parent_id]
    assert {branch.parent_id for branch in made} == {repository.branch("main").id}


def test_prune_deletes_the_branches_of_deleted_git_branches(repository: Shop) -> None:
    shop = repository.project
    for git_branch in ("topic", "kept", "pushed"):
        repository.switch("-c", git_branch)
        shop.ok()
        repository.switch("main")
        shop.ok()
    for git_branch in ("topic", "pushed"):
        repository.delete(git_branch)
    run_git(shop, "update-ref", "refs/remotes/origin/pushed", "main")
    shown = shop.neonup("prune")
    assert shown.returncode == 1, shown.stdout
    assert "its git branch topic was deleted: the Neon branch topic" in shown.stdout
    assert "a remote has pushed still" in shown.stdout
    assert repository.names() == ["kept", "main", "pushed", "topic"]
    assert "Deleted 1" in shop.ok("prune", "-y")
    assert repository.names() == ["kept", "main", "pushed"]
    assert shop.json("prune", "-y")["deleted"] == []
    assert shop.query(VALUE) == "1"


def test_prune_leaves_what_is_used(repository: Shop) -> None:
    """By this folder's file, by a branch that is made of it, by whoever runs its compute."""
    shop = repository.project
    repository.switch("-c", "below")
    shop.ok()
    repository.switch("-c", "above")
    shop.ok()
    run_git(shop, "switch", "-q", "--detach", "main")
    repository.delete("above")
    repository.delete("below")
    left = {row["id"]: row["why"] for row in shop.json("prune", "-y")["left"]}
    below, above = (f"{repository.id}/{repository.branch(name).id}" for name in ("below", "above"))
    assert f"{shop.env_file} names it" in left[above]
    assert "the Neon branch above is made of it" in left[below]
    repository.switch("main")
    shop.ok()
    repository.neon.endpoints.start(
        repository.id,
        next(
            endpoint.id
            for endpoint in repository.neon.endpoints.list(repository.id)
            if f"{repository.id}/{endpoint.branch_id}" == above
        ),
    )
    repository.neon.operations.settle(repository.id)
    rows = shop.json("prune", "-y")
    assert rows["deleted"] == []
    assert "its compute is running" in {row["id"]: row["why"] for row in rows["left"]}[above]


def test_a_branch_expires_once_its_git_branch_is_gone_where_that_is_set(
    repository: Shop,
) -> None:
    shop = repository.project
    with (shop.folder / "pyproject.toml").open("a") as file:
        file.write("[tool.neonup.account]\ngit_branch_days = 30\n")
    repository.switch("-c", "topic")
    shop.ok()
    repository.switch("main")
    shop.ok()
    assert repository.branch("topic").expires_at is None
    repository.delete("topic")
    repository.switch("-c", "next")
    said = shop.ok()
    assert "git branch topic was deleted, and its Neon branch topic expires on" in said
    expires_at = repository.branch("topic").expires_at
    assert expires_at is not None
    assert timedelta(days=29) < expires_at - datetime.now(UTC) <= timedelta(days=30)
    repository.switch("-c", "topic", "main")
    assert "git branch topic: its own data" in shop.ok()
    assert repository.branch("topic").expires_at is None


def test_a_new_worktree_begins_with_a_copy(repository: Shop, tmp_path: Path) -> None:
    run_git(repository.project, "worktree", "add", "-q", "-b", "topic", str(tmp_path / "topic"))
    worktree = Project(tmp_path / "topic", repository.project.environ)
    said = worktree.ok("-y")
    assert f"it begins as a copy of the database in {repository.project.env_file}" in said
    assert worktree.query("UPDATE state SET n = 2 RETURNING n").startswith("2")
    assert worktree.url != repository.project.url
    assert repository.project.query(VALUE) == "1"
    assert worktree.json("status")["detail"]["git branch"] == "topic"
    worktree.ok("destroy", "-y")
    assert repository.names() == ["main"]


def test_a_folder_that_was_copied_can_have_a_branch_of_its_own(
    repository: Shop, tmp_path: Path
) -> None:
    copied = Project(tmp_path / "copy", repository.project.environ)
    shutil.copytree(repository.project.folder, copied.folder)
    copied.ok("fork")
    copied.query("UPDATE state SET n = 2")
    assert copied.query(VALUE) == "2"
    assert repository.project.query(VALUE) == "1"
    assert len(repository.names()) == 2


def test_a_hot_start_asks_nobody_and_imports_little(repository: Shop) -> None:
    code = (
        "import json, sys; before = set(sys.modules); import neonup; neonup.ensure(); "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    nowhere = {"NEON_API_HOST": "http://127.0.0.1:9/api/v2", "NEONUP_ENV": "development"}
    modules = set(
        repository.project.new_python(code, **nowhere)
        .stdout.replace('"', " ")
        .replace(",", " ")
        .split()
    )
    assert {"neonup.start.checkout", "neonup_cloud.account.git_branches"} <= modules
    not_needed = modules & {"httpx", "msgspec", "pluggy", "subprocess"}
    assert not not_needed


@pytest.mark.skipif(
    NODE is None or not CLI.exists(), reason="the official command is not installed"
)
def test_the_official_command_comes_to_the_same_branch(repository: Shop) -> None:
    shop = repository.project
    repository.switch("-c", "feature/PROJ-1_Add!")
    shop.ok()
    (shop.folder / ".neon").write_text(json.dumps({"projectId": repository.id}))
    official = [str(NODE), str(CLI), "--no-analytics", "--config-dir", str(shop.folder.parent)]
    done = shop.command([*official, "git", "sync", "--no-env-pull"])
    assert done.returncode == 0, done.stderr + done.stdout
    (name,) = json.loads((shop.folder / ".neon").read_text())["git"]["map"].values()
    assert f"/{repository.branch(name).id} " in shop.env_file.read_text()
    assert repository.names() == ["feature/proj-1-add", "main"]


@pytest.mark.parametrize(
    ("git_branch", "name"),
    [
        ("feature/PROJ-123 Add Billing", "feature/proj-123-add-billing"),
        ("Hotfix!!", "hotfix"),
        ("a//b/", "a/b"),
        ("ÄÖ", "branch"),
        ("x" * 300, "x" * 256),
        (f"{'x' * 255}/more", "x" * 255),
    ],
)
def test_names_are_the_official_commands(git_branch: str, name: str) -> None:
    """As ``neonSafeBranchName`` of the npm package neon 6.2.3 makes them."""
    assert neon_name(git_branch) == name
    assert len(other_neon_name(git_branch)) <= 256
