"""A project's git repository, for tests about its branches and worktrees."""

from __future__ import annotations

from tests.project import Project

IDENTITY = ["-c", "user.name=A", "-c", "user.email=a@example.org"]


def run_git(project: Project, *arguments: str) -> None:
    done = project.command(["git", *IDENTITY, *arguments])
    assert done.returncode == 0, done.stderr


def make_repository(project: Project) -> None:
    """With one commit on the branch main, and the setting ``git_branches``."""
    (project.folder / "pyproject.toml").write_text("[tool.neonup]\ngit_branches = true\n")
    (project.folder / ".gitignore").write_text(".env\n")
    run_git(project, "init", "-q", "-b", "main")
    run_git(project, "add", "-A")
    run_git(project, "commit", "-q", "-m", "first")
