"""``git_branches = true``: each git branch, and each worktree, has data of its own."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neonup.env import git
from neonup_local.service.databases import LocalDatabases
from tests.local.sql import ask
from tests.project import Project, clean_environ, names
from tests.repository import IDENTITY, make_repository, run_git
from tests.variables import TABLE, check

ENSURE = "import neonup; neonup.ensure()"
VALUE = "SELECT n FROM state"


def state(project: Project) -> str:
    """What the table says, after a start as an application has it."""
    done = project.python(ENSURE)
    assert done.returncode == 0, done.stderr
    return str(ask(project.url, "TABLE state"))


@pytest.fixture
def repository(tmp_path: Path, neonup_home: Path) -> Project:
    """A project on the branch main, whose table says 1."""
    folder = tmp_path / "shop"
    folder.mkdir()
    project = Project(folder, clean_environ(neonup_home))
    make_repository(project)
    project.ok("-y")
    project.query("CREATE TABLE state AS SELECT 1 AS n")
    return project


def test_each_branch_has_its_own_data_behind_one_url(repository: Project) -> None:
    with (repository.folder / "pyproject.toml").open("a") as file:
        file.write(TABLE)
    repository.ok()
    content = repository.env_file.read_bytes()
    run_git(repository, "switch", "-q", "-c", "feature/more")
    said = repository.ok()
    assert "git branch feature/more: begins as a copy of main" in said
    assert repository.query("UPDATE state SET n = 2 RETURNING n").startswith("2")
    run_git(repository, "switch", "-q", "main")
    assert "git branch main: its own data" in repository.ok()
    assert repository.query(VALUE) == "1"
    assert "git branch" not in repository.ok()
    run_git(repository, "switch", "-q", "feature/more")
    assert state(repository) == "2"
    check(repository)
    assert repository.env_file.read_bytes() == content
    assert repository.json("status")["detail"]["git branch"] == "feature/more"


def test_a_detached_head_stays_with_the_data_that_is_there(repository: Project) -> None:
    run_git(repository, "switch", "-q", "-c", "topic")
    assert repository.query("UPDATE state SET n = 2 RETURNING n").startswith("2")
    run_git(repository, "switch", "-q", "--detach", "main")
    assert state(repository) == "2"


def test_without_the_setting_nothing_is_exchanged(repository: Project) -> None:
    (repository.folder / "pyproject.toml").unlink()
    run_git(repository, "switch", "-q", "-c", "topic")
    repository.query("UPDATE state SET n = 2")
    run_git(repository, "switch", "-q", "main")
    assert state(repository) == "2"


def test_the_data_from_before_the_setting_is_of_the_branch_checked_out_then(
    repository: Project, databases: LocalDatabases
) -> None:
    [record] = databases.all()
    (databases.folder(record.id) / "git-branch").unlink()
    assert state(repository) == "1"
    run_git(repository, "switch", "-q", "-c", "topic")
    repository.ok()
    repository.query("UPDATE state SET n = 2")
    run_git(repository, "switch", "-q", "main")
    assert state(repository) == "1"


def test_starts_at_the_same_moment_exchange_it_once(
    repository: Project, databases: LocalDatabases
) -> None:
    run_git(repository, "switch", "-q", "-c", "topic")
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: repository.python(ENSURE), range(4)))
    assert [one.returncode for one in done] == [0] * 4, done
    assert state(repository) == "1"
    [record] = databases.all()
    assert names(databases.folder(record.id) / "git-branches") == ["main"]


def test_a_server_that_was_stopped(repository: Project) -> None:
    repository.ok("stop")
    run_git(repository, "switch", "-q", "-c", "topic")
    assert state(repository) == "1"


def test_versions_are_of_the_data_of_the_branch_checked_out(repository: Project) -> None:
    """Also before the application has been started on it."""
    run_git(repository, "switch", "-q", "-c", "topic")
    repository.query("UPDATE state SET n = 2")
    run_git(repository, "switch", "-q", "main")
    repository.ok("versions", "checkpoint", "main")
    run_git(repository, "switch", "-q", "topic")
    assert repository.query(VALUE) == "2"
    repository.ok("undo", "-y")
    assert repository.query(VALUE) == "1"
    run_git(repository, "switch", "-q", "main")
    assert repository.query(VALUE) == "1"


def test_reset_is_of_the_branch_checked_out(repository: Project) -> None:
    """Also before the application has been started on it."""
    run_git(repository, "switch", "-q", "-c", "topic")
    repository.query("UPDATE state SET n = 2")
    run_git(repository, "switch", "-q", "main")
    repository.ok("reset", "-y")
    assert repository.query("SELECT to_regclass('state') IS NULL") == "t"
    run_git(repository, "switch", "-q", "topic")
    assert repository.query(VALUE) == "2"


def test_prune_removes_the_data_of_deleted_branches(
    repository: Project, databases: LocalDatabases
) -> None:
    for branch in ("feature/a", "feature/b"):
        run_git(repository, "switch", "-q", "-c", branch)
        repository.ok()
    run_git(repository, "switch", "-q", "main")
    repository.ok()
    run_git(repository, "branch", "-q", "-D", "feature/a")
    shown = repository.neonup("prune")
    assert shown.returncode == 1
    assert "its git branch feature/a was deleted" in shown.stdout
    assert "Deleted 1, which frees" in repository.ok("prune", "-y")
    [record] = databases.all()
    assert names(databases.folder(record.id) / "git-branches") == ["feature%2Fb"]
    assert "There is nothing to prune" in repository.ok("prune", "-y")
    assert state(repository) == "1"


def test_a_new_worktree_begins_with_a_copy(repository: Project, tmp_path: Path) -> None:
    run_git(repository, "worktree", "add", "-q", "-b", "topic", str(tmp_path / "topic"))
    worktree = Project(tmp_path / "topic", repository.environ)
    said = worktree.ok("-y")
    assert f"it begins as a copy of the database in {repository.env_file}" in said
    assert worktree.query("UPDATE state SET n = 2 RETURNING n").startswith("2")
    assert worktree.url != repository.url
    assert state(repository) == "1"
    assert worktree.json("status")["detail"]["git branch"] == "topic"
    worktree.ok("destroy", "-y")
    assert state(repository) == "1"


def test_a_worktree_is_empty_without_the_setting_or_a_database_to_copy(
    repository: Project, tmp_path: Path
) -> None:
    run_git(repository, "worktree", "add", "-q", "-b", "topic", str(tmp_path / "topic"))
    worktree = Project(tmp_path / "topic", repository.environ)
    worktree.ok("-y", NEONUP_GIT_BRANCHES="off")
    status = worktree.json("status", NEONUP_GIT_BRANCHES="off")
    assert status["detail"]["git branch"] == "topic"
    empty = "SELECT to_regclass('state') IS NULL"
    assert worktree.query(empty) == "t"
    worktree.ok("destroy", "-y")
    repository.ok("destroy", "-y")
    worktree.ok("-y")
    assert worktree.query(empty) == "t"


def test_a_hot_start_asks_no_program_and_imports_little(repository: Project) -> None:
    code = (
        "import json, sys; before = set(sys.modules); import neonup; neonup.ensure(); "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    modules = set(repository.new_python(code).stdout.replace('"', " ").replace(",", " ").split())
    assert {"neonup.env.git", "neonup.start.checkout", "neonup_local.service.notes"} <= modules
    assert not modules & {
        "subprocess",
        "neonup.locks",
        "psycopg",
        "psutil",
        "neonup_local.service.swap",
    }


def test_what_git_says(tmp_path: Path) -> None:
    assert git.branch(tmp_path) is None
    assert git.branch_names(tmp_path) is None
    main = tmp_path / "main"
    subprocess.run(["git", "init", "-q", "-b", "trunk", main], check=True)
    assert git.branch(main) == "trunk"  # which has no commit yet
    assert git.branch_names(main) == frozenset({"trunk"})
    (main / "app").mkdir()
    (main / "app" / "file").touch()
    base = ["git", *IDENTITY, "-C", str(main)]
    subprocess.run([*base, "add", "-A"], check=True)
    subprocess.run([*base, "commit", "-q", "-m", "x"], check=True)
    subprocess.run([*base, "worktree", "add", "-q", "-b", "a/b", tmp_path / "tree"], check=True)
    assert git.branch(tmp_path / "tree" / "app") == "a/b"
    assert git.branch_names(main) == frozenset({"trunk", "a/b"})
    assert git.in_main_worktree(tmp_path / "tree" / "app") == main / "app"
    assert git.in_main_worktree(main / "app") is None
    subprocess.run([*base, "update-ref", "refs/remotes/origin/c/d", "trunk"], check=True)
    assert git.branch_names(main, remote=True) == frozenset({"c/d"})
    subprocess.run([*base, "switch", "-q", "--detach"], check=True)
    assert git.branch(main) is None
