"""Who else may come to read the password in ``.env``: the banner and ``doctor`` say so."""

from __future__ import annotations

import os
import subprocess

import pytest

from neonup import exposures
from tests.local.people import needs_root
from tests.project import Project

TRACKED = ".env is tracked by git, and the next commit may have the password in it"
SKIP = "git update-index --skip-worktree .env"


def git(project: Project, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(["git", *who, *arguments], cwd=project.folder, check=True, capture_output=True)


@pytest.fixture
def repository(project: Project) -> Project:
    git(project, "init", "-q")
    (project.folder / "pyproject.toml").touch()
    return project


def track(project: Project, content: str = "A=1\n") -> None:
    project.env_file.write_text(content)
    project.env_file.chmod(0o600)
    (project.folder / ".gitignore").write_text(".env\n.env.local\n")
    git(project, "add", "-f", ".env")


def doctor(project: Project) -> str:
    done = project.neonup("doctor")
    assert "Traceback" not in done.stderr
    return done.stdout


def test_a_tracked_file_gets_advice_that_helps(repository: Project) -> None:
    track(repository)
    said = repository.ok()
    assert TRACKED in said
    assert SKIP in said
    assert ".gitignore" not in said
    assert TRACKED in doctor(repository)
    git(repository, *SKIP.split()[1:])
    assert exposures(repository.env_file) == []
    assert TRACKED not in doctor(repository)


def test_beside_a_tracked_file_the_untracked_one_that_is_read_gets_the_url(
    repository: Project,
) -> None:
    track(repository)
    local = repository.folder / ".env.local"
    local.write_text("B=2\n")
    local.chmod(0o600)
    said = repository.ok()
    assert "written to .env.local" in said
    assert "git" not in said
    assert repository.env_file.read_text() == "A=1\n"
    assert repository.ok("url").strip() in local.read_text()
    assert TRACKED not in doctor(repository)
    repository.ok("destroy", "--yes")
    assert local.read_text() == "B=2\n"


@needs_root
def test_where_git_does_not_trust_the_folder_it_is_said(repository: Project) -> None:
    for path in (repository.folder, repository.folder / ".git"):
        os.chown(path, 65534, 65534)
    said = repository.ok()
    assert "git would perhaps commit .env, and cannot tell (detected dubious ownership" in said
    assert "cannot tell (detected dubious ownership" in doctor(repository)


def test_where_the_repository_is_damaged_it_is_said(repository: Project) -> None:
    (repository.folder / ".git" / "HEAD").write_text("nonsense")
    assert "git would perhaps commit .env, and cannot tell (" in repository.ok()


def test_the_variables_of_a_hook_do_not_lead_git_elsewhere(
    repository: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.env_file.touch(mode=0o600)
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    (said,) = exposures(repository.env_file)
    assert said.text == "git does not ignore .env"


def test_a_file_that_others_can_read_is_named(project: Project) -> None:
    project.env_file.write_text("A=1\n")
    project.env_file.chmod(0o644)
    said = project.ok()
    assert "other users can read .env (mode 0644): chmod 600 .env" in said
    assert "other users can read .env (mode 0644)" in doctor(project)
    project.env_file.chmod(0o600)
    assert "other users" not in doctor(project)


def test_without_git_nothing_is_said_of_it(repository: Project) -> None:
    said = repository.ok(PATH="/nonexistent")
    assert "git" not in said


def test_a_link_out_of_the_repository_publishes_nothing(repository: Project) -> None:
    outside = repository.folder.parent / "outside.env"
    outside.touch(mode=0o600)
    repository.env_file.symlink_to(outside)
    assert exposures(repository.env_file) == []
