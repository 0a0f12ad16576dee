"""Folders that are moved, copied and cloned with their ``.env``: whose database is it?"""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neonup.env import git
from tests.neon_new_server import NeonNewServer
from tests.project import Project, clean_environ
from tests.variables import check, declare

ENSURE = "import neonup; print(neonup.ensure().url)"
KEPT = "SELECT x FROM keep"
IDENTITY = ["-c", "user.name=A", "-c", "user.email=a@example.org"]


@pytest.fixture
def one(tmp_path: Path, neonup_home: Path) -> Project:
    """A project with a database, whose table says 42."""
    folder = tmp_path / "work" / "one"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    project = Project(folder, clean_environ(neonup_home))
    project.ok("-y")
    project.query("CREATE TABLE keep AS SELECT 42 AS x")
    return project


def copy(project: Project, name: str) -> Project:
    """The same folder once more, beside it."""
    target = project.folder.with_name(name)
    shutil.copytree(project.folder, target, symlinks=True)
    return Project(target, project.environ)


def move(project: Project, name: str) -> Project:
    return Project(project.folder.rename(project.folder.with_name(name)), project.environ)


def owner(project: Project) -> str | None:
    """What `neonup status` says of whose it is."""
    found: str | None = project.json("status")["belongs_to"]
    return found


def run_git(project: Project, *arguments: str) -> None:
    done = project.command(["git", *IDENTITY, *arguments])
    assert done.returncode == 0, done.stderr


def test_a_moved_folder_takes_its_database_along(one: Project) -> None:
    two = move(one, "two")
    done = two.python(ENSURE)
    assert done.returncode == 0, done.stderr
    assert "it is the database of" not in done.stderr
    [row] = two.json("list")
    assert row["project"] == str(two.folder)
    assert owner(two) is None
    two.ok("destroy", "-y")


@pytest.mark.parametrize("command", ["status", "doctor", "url", "checkpoint"])
def test_whichever_command_finds_it_first_records_the_new_folder(
    one: Project, command: str
) -> None:
    two = move(one, "two")
    if command == "checkpoint":
        two.python("import neonup; neonup.checkpoint('now')")
    else:
        two.neonup(command)
    [row] = two.json("list")
    assert row["project"] == str(two.folder)


def test_a_copy_is_told_whose_database_it_uses(one: Project) -> None:
    two = copy(one, "two")
    for _ in range(2):
        assert f"it is the database of {one.folder}; `neonup fork`" in two.python(ENSURE).stderr
    assert f"it is the database of {one.folder}" in two.ok()
    assert str(one.folder) in two.ok("status")
    assert owner(two) == str(one.folder)
    doctor = two.neonup("doctor")
    assert doctor.returncode == 1
    assert f"{one.folder}: a file there names this database, too" in doctor.stdout
    assert "neonup fork" in doctor.stdout
    for command in (["url"], ["psql", "--", "-Xc", "TABLE keep"], ["run", "true"]):
        assert f"it is the database of {one.folder}" in two.neonup(*command).stderr
    assert two.query(KEPT) == "42"
    assert "it is the database of" not in one.python(ENSURE).stderr
    assert owner(one) is None


@pytest.mark.parametrize(
    "command",
    [
        "destroy -y",
        "reset -y",
        "undo -y",
        "undo before -y",
        "versions restore before -y",
        "versions delete before -y",
        "versions checkpoint --replace-oldest",
        "pull --force --from",
    ],
)
def test_a_copy_refuses_what_the_original_would_lose(one: Project, command: str) -> None:
    one.ok("versions", "checkpoint", "before")
    one.query("UPDATE keep SET x = 43")
    two = copy(one, "two")
    words = command.split()
    if words[0] == "pull":
        words.append(one.url)
    error = two.fails(*words)
    assert f"This is the database of {one.folder}" in error
    assert f"--of {one.folder}" in error
    assert "neonup fork" in error
    assert one.query(KEPT) == "43"
    assert [row["name"] for row in one.json("versions", "list")["versions"]] == ["before"]
    wrong = two.fails(*words, "--of", str(one.folder.parent))
    assert f"This is the database of {one.folder}" in wrong
    assert one.query(KEPT) == "43"


def test_the_owner_can_be_named(one: Project) -> None:
    one.ok("versions", "checkpoint", "before")
    one.query("UPDATE keep SET x = 43")
    two = copy(one, "two")
    two.ok("undo", "-y", "--of", "../one")
    assert one.query(KEPT) == "42"
    two.ok("reset", "-y", NEONUP_OWNER=str(one.folder))
    assert one.query("SELECT to_regclass('keep') IS NULL") == "t"
    assert "it is the database of" not in two.ok("--of", "../one")
    two.ok("destroy", "-y", "--of", str(one.folder))
    assert "DATABASE_URL" not in two.variables


def test_naming_an_owner_that_it_has_not_is_refused(one: Project) -> None:
    two = copy(one, "two")
    two.json("fork")
    error = two.fails("destroy", "-y", "--of", str(one.folder))
    assert f"This database is not that of {one.folder}" in error
    assert two.query(KEPT) == "42"
    one.ok("destroy", "-y", "--of", str(one.folder))  # its own


def test_a_fork_has_the_data_and_leaves_the_other(one: Project) -> None:
    declare(one)
    one.ok()
    two = copy(one, "two")
    (two.folder / ".env").write_text(f"FIRST=1\n{two.env_file.read_text()}LAST=2\n")
    said = two.ok("fork")
    assert f"it begins as a copy of the database in {one.folder}" in said
    assert two.url != one.url
    check(two)
    assert (two.variables["FIRST"], two.variables["LAST"]) == ("1", "2")
    assert two.query("UPDATE keep SET x = 43 RETURNING x").startswith("43")
    assert one.query(KEPT) == "42"
    assert owner(two) is None
    assert "has a database of its own already" in two.fails("fork")
    two.ok("destroy", "-y")
    assert one.query(KEPT) == "42"
    assert "has a database of its own already" in one.fails("fork")


def test_a_folder_whose_env_file_is_copied_again_finds_its_own_database(one: Project) -> None:
    two = copy(one, "two")
    two.ok("fork")
    own = two.url
    two.query("UPDATE keep SET x = 43")
    shutil.copy(one.env_file, two.env_file)
    assert "it still has its earlier data" in two.ok("fork")
    assert (two.url, two.query(KEPT)) == (own, "43")


def test_a_new_database_by_force_is_no_change_of_the_others(one: Project) -> None:
    two = copy(one, "two")
    two.ok("--force")
    assert two.url != one.url
    assert two.query("SELECT to_regclass('keep') IS NULL") == "t"
    assert one.query(KEPT) == "42"


def test_where_the_original_was_deleted_the_copy_owns_it(one: Project) -> None:
    two, three = copy(one, "two"), copy(one, "three")
    assert owner(three) == str(one.folder)
    shutil.rmtree(one.folder)
    assert owner(two) is None
    assert owner(three) == str(two.folder)
    two.ok("destroy", "-y")


def test_where_the_original_uses_another_one_the_copy_owns_it(one: Project) -> None:
    two = copy(one, "two")
    assert owner(two) == str(one.folder)
    one.env_file.write_text("DATABASE_URL=postgresql://me@127.0.0.1:1/mine\n")
    assert owner(two) is None
    shutil.copy(two.env_file, one.env_file)
    assert owner(one) == str(two.folder)


def test_a_copy_and_an_original_that_was_moved(one: Project) -> None:
    copied = copy(one, "copy")
    assert owner(copied) == str(one.folder)
    moved = move(one, "moved")
    assert owner(moved) is None
    assert owner(copied) == str(moved.folder)
    assert "This is the database of" in copied.fails("destroy", "-y")
    assert moved.query(KEPT) == "42"


def test_a_new_project_in_the_place_of_one_that_was_moved(one: Project) -> None:
    moved = move(one, "moved")
    moved.ok()
    one.folder.mkdir()
    (one.folder / "pyproject.toml").touch()
    one.ok("-y")
    assert one.url != moved.url
    one.ok("destroy", "-y")
    assert moved.query(KEPT) == "42"
    shutil.copy(moved.env_file, one.env_file)
    assert owner(one) == str(moved.folder)
    one.ok("fork")
    assert one.url != moved.url
    assert one.query(KEPT) == "42"


def test_a_file_that_cannot_be_read_may_still_name_it(one: Project) -> None:
    two = copy(one, "two")
    one.env_file.write_bytes(one.env_file.read_bytes() + b"NAME=\xff\n")
    assert owner(two) == str(one.folder)


def test_starts_at_the_same_moment_agree(one: Project) -> None:
    two, three = copy(one, "two"), copy(one, "three")
    shutil.rmtree(one.folder)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda it: it.python(ENSURE), [two, three, two, three]))
    assert [process.returncode for process in done] == [0] * 4, done
    owners = {owner(two), owner(three)}
    assert owners in ({None, str(two.folder)}, {None, str(three.folder)})


def test_folders_that_are_told_to_share_a_file_share_its_database(one: Project) -> None:
    web = one.folder.with_name("web")
    web.mkdir()
    (web / "pyproject.toml").write_text('[tool.neonup]\nenv_file = "../one/.env"\n')
    shared = Project(web, one.environ)
    assert "it is the database of" not in shared.python(ENSURE).stderr
    assert owner(shared) is None
    assert owner(one) is None
    shared.ok("reset", "-y")


def test_a_link_to_the_originals_file_is_no_file_of_its_own(one: Project) -> None:
    two = copy(one, "two")
    two.env_file.unlink()
    two.env_file.symlink_to(one.env_file)
    before = one.env_file.read_bytes()
    assert owner(two) == str(one.folder)
    assert "This is the database of" in two.fails("destroy", "-y")
    assert "Replace the link by a copy" in two.fails("fork")
    assert one.env_file.read_bytes() == before
    assert one.query(KEPT) == "42"


def test_a_link_to_the_folder_is_the_folder(one: Project) -> None:
    link = one.folder.with_name("link")
    link.symlink_to(one.folder)
    code = f"import neonup; neonup.ensure({str(link)!r}); neonup.ensure({str(one.folder)!r})"
    done = one.python(code)
    assert done.returncode == 0, done.stderr
    assert "it is the database of" not in done.stderr
    assert one.json("list")[0]["project"] == str(one.folder)


def test_each_key_has_an_owner_of_its_own(one: Project) -> None:
    one.ok("-y", "-k", "STATS_DATABASE_URL")
    two = copy(one, "two")
    two.ok("fork", "-k", "STATS_DATABASE_URL")
    assert "This is the database of" in two.fails("destroy", "-y")
    two.ok("destroy", "-y", "-k", "STATS_DATABASE_URL")
    assert one.query(KEPT) == "42"
    one.ok("psql", "-k", "STATS_DATABASE_URL", "--", "-c", "SELECT 1")


def test_a_url_in_the_environment_cannot_be_forked(one: Project) -> None:
    two = copy(one, "two")
    error = two.fails("fork", DATABASE_URL=one.url)
    assert "DATABASE_URL is set in the environment" in error
    assert "This is the database of" in two.fails("destroy", "-y", DATABASE_URL=one.url)


def test_a_clone_with_a_committed_env_file_is_told(one: Project) -> None:
    run_git(one, "init", "-q", "-b", "main")
    run_git(one, "add", "-A")
    run_git(one, "commit", "-q", "-m", "first")
    two = Project(one.folder.with_name("two"), one.environ)
    run_git(one, "clone", "-q", str(one.folder), str(two.folder))
    assert f"it is the database of {one.folder}" in two.ok()
    assert two.url == one.url


@pytest.fixture
def worktree(one: Project) -> Project:
    """Another worktree of the project's repository, with its ``.env``, as tools copy it."""
    run_git(one, "init", "-q", "-b", "main")
    (one.folder / ".gitignore").write_text(".env\n")
    run_git(one, "add", "-A")
    run_git(one, "commit", "-q", "-m", "first")
    tree = Project(one.folder / ".worktrees" / "topic", one.environ)
    run_git(one, "worktree", "add", "-q", "-b", "topic", str(tree.folder))
    shutil.copy(one.env_file, tree.env_file)
    return tree


@pytest.mark.parametrize("git_branches", ["off", "on"])
def test_a_worktree_with_the_others_file_gets_a_database_of_its_own(
    one: Project, worktree: Project, git_branches: str
) -> None:
    one.ok(NEONUP_GIT_BRANCHES=git_branches)
    done = worktree.python(ENSURE, NEONUP_ENV="development", NEONUP_GIT_BRANCHES=git_branches)
    assert done.returncode == 0, done.stderr
    assert f"it begins as a copy of the database in {one.folder}" in done.stderr
    assert worktree.url != one.url
    assert worktree.query("UPDATE keep SET x = 43 RETURNING x").startswith("43")
    assert one.query(KEPT) == "42"
    assert owner(worktree) is None
    worktree.ok("destroy", "-y")
    assert one.query(KEPT) == "42"


def test_starts_at_the_same_moment_in_a_worktree_copy_it_once(
    one: Project, worktree: Project
) -> None:
    development = {"NEONUP_ENV": "development"}
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: worktree.python(ENSURE, **development), range(4)))
    assert {process.stdout for process in done} == {f"{worktree.url}\n"}, done
    assert len(one.json("list")) == 2


@pytest.mark.parametrize(
    "environ", [{"NEONUP_ENV": "production"}, {"NEONUP_OWNER": "../.."}, {"DATABASE_URL": ""}]
)
def test_a_worktree_shares_where_it_may_not_or_need_not_have_its_own(
    one: Project, worktree: Project, environ: dict[str, str]
) -> None:
    if "DATABASE_URL" in environ:
        environ = {"DATABASE_URL": one.url}
    done = worktree.python(ENSURE, **environ)
    assert done.returncode == 0, done.stderr
    assert ("it is the database of" in done.stderr) is ("NEONUP_OWNER" not in environ)
    assert done.stdout.strip() == one.url == worktree.url
    branch = worktree.json("status", **environ)["detail"]["git branch"]
    assert branch == git.branch(one.folder) != "topic"


def test_a_copy_on_another_git_branch_does_not_exchange_the_originals_data(one: Project) -> None:
    (one.folder / "pyproject.toml").write_text("[tool.neonup]\ngit_branches = true\n")
    run_git(one, "init", "-q", "-b", "main")
    one.ok()
    two = copy(one, "two")
    assert f"it is the database of {one.folder}" in two.ok()
    run_git(two, "switch", "-q", "-c", "topic")
    error = two.fails()
    assert f"This is the database of {one.folder}" in error
    assert "neonup fork" in error
    assert one.json("status")["detail"]["git branch"] == "main"
    two.ok("--of", "../one")
    assert one.json("status")["detail"]["git branch"] == "topic"
    two.ok("fork", NEONUP_OWNER="")
    assert one.query(KEPT) == "42"


def test_a_database_in_the_cloud_belongs_to_a_folder_as_well(
    tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    one = Project(folder, clean_environ(neonup_home, **neon_new_server.environment))
    one.ok()
    two = copy(one, "two")
    assert f"it is the database of {one.folder}" in two.ok()
    assert "This is the database of" in two.fails("reset", "-y")
    error = two.fails("fork")
    assert "cannot be copied" in error
    assert "neonup --force" in error
    two.ok("--force")
    assert two.url != one.url


OPENED = """
import json, sys
opened = []
sys.addaudithook(lambda event, arguments: event == "open" and opened.append(str(arguments[0])))
import neonup
neonup.ensure()
print(json.dumps(opened))
"""


def test_a_warm_start_reads_one_small_file_for_it(one: Project) -> None:
    home = one.environ["NEONUP_HOME"]
    one.ok()
    opened = json.loads(one.python(OPENED).stdout)
    own = [os.path.relpath(path, home) for path in opened if path.startswith(home)]
    [row] = one.json("list")
    id_ = row["id"]
    assert sorted(own) == [f"databases/{id_}/data/postmaster.pid", f"folders/local-{id_}"]


def test_a_home_that_cannot_be_written_to_is_no_reason_to_fail(one: Project) -> None:
    two = copy(one, "two")
    home = Path(one.environ["NEONUP_HOME"])
    shutil.rmtree(home / "folders")
    (home / "folders").touch()
    for project in (one, two):
        done = project.python(ENSURE)
        assert done.returncode == 0, done.stderr
