"""What git says of a project's folder: whether it publishes ``.env``, and what is checked out.

What every start may ask is read from git's files, without starting a process.
https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import os
from pathlib import Path

_OF_ANOTHER = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}
)
"""What git sets for its hooks, of the repository that they are for."""

_BRANCH = "ref: refs/heads/"


class GitFailed(Exception):
    """Git is here and cannot say: it does not trust the repository's owner, or it is damaged."""


def is_committed(path: Path) -> bool:
    """Whether a file lies in a repository that does not ignore it; False without git.

    A link is what it leads to. A tracked file counts, unless git is told to skip its changes.

    Raises:
        GitFailed: git cannot say.
    """
    path = Path(os.path.realpath(path))
    if _repository(path.parent) is None:
        return False  # without starting a process, at every check of Django's
    status, _ = _answer(path.parent, "check-ignore", "-q", "--", path.name)
    return status == 1 and not _tags(path).startswith("S")  # 0: ignored


def is_tracked(path: Path) -> bool:
    """Whether git commits changes of a file, ignored or not; not where it is told to skip them.

    https://git-scm.com/docs/git-ls-files: ``-v`` has ``S`` for skip-worktree.

    Raises:
        GitFailed: git cannot say.
    """
    path = Path(os.path.realpath(path))
    if _repository(path.parent) is None:
        return False
    return _tags(path)[:1] not in ("", "S")


def _tags(path: Path) -> str:
    return _answer(path.parent, "--literal-pathspecs", "ls-files", "-v", "--", path.name)[1]


def _answer(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """What a command of git's ends with and prints; None where it cannot be started."""
    import subprocess

    environ = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**environ, "LC_ALL": "C"},
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except (OSError, ValueError):  # there is no git
        return None, ""
    if done.returncode not in (0, 1):
        reason = done.stderr.strip().partition("\n")[0].removeprefix("fatal: ")
        raise GitFailed(reason or f"it ended with {done.returncode}")
    return done.returncode, done.stdout


def branch(folder: Path) -> str | None:
    """The branch that is checked out; None outside a repository, and where HEAD is detached."""
    repository = _repository(folder)
    if repository is None:
        return None
    try:
        head = (_git_folder(repository) / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return head.removeprefix(_BRANCH) if head.startswith(_BRANCH) else None


def branch_names(folder: Path, *, remote: bool = False) -> frozenset[str] | None:
    """The branches of a folder's repository; None where git does not say which there are.

    Args:
        remote: those of its remotes instead, as they were when git last asked them.
    """
    place = (
        ("%(refname:lstrip=3)", "refs/remotes") if remote else ("%(refname:lstrip=2)", "refs/heads")
    )
    try:
        failed, listed = _answer(folder, "for-each-ref", "--format", *place)
    except GitFailed:
        return None
    checked_out = None if remote else branch(folder)  # it may have no commit yet
    names = frozenset(filter(None, [*listed.splitlines(), checked_out]))
    return names if failed == 0 else None


def in_main_worktree(folder: Path) -> Path | None:
    """The same folder in the repository's main worktree; None: it is in that one, or in none.

    https://git-scm.com/docs/git-worktree#_details
    """
    repository = _repository(folder)
    if repository is None or (repository / ".git").is_dir():
        return None
    shared = _shared(repository)
    if shared is None or shared.name != ".git":
        return None  # it is a submodule, or a bare repository's
    return shared.parent / folder.resolve().relative_to(repository.resolve())


def is_other_worktree(folder: Path, other: Path) -> bool:
    """Whether a folder is in a linked worktree of the repository that has another folder, too.

    The other one is in the main worktree, or in another linked one.
    """
    mine, theirs = _repository(folder), _repository(other)
    if mine is None or theirs is None or (mine / ".git").is_dir() or mine.samefile(theirs):
        return False
    shared = _shared(mine)
    return shared is not None and shared == _shared(theirs)


def _shared(repository: Path) -> Path | None:
    """Where git keeps what all worktrees of a repository share; None: it cannot be read."""
    try:
        git_folder = _git_folder(repository)
        link = git_folder / "commondir"
        more = link.read_text(encoding="utf-8").strip() if link.exists() else ""
        return (git_folder / more).resolve()
    except (OSError, ValueError):
        return None


def _repository(folder: Path) -> Path | None:
    """The nearest folder upward with a ``.git``."""
    folder = folder.absolute()
    for candidate in (folder, *folder.parents):
        if os.path.lexists(candidate / ".git"):  # unlike a Path's, it does not raise
            return candidate
    return None


def _git_folder(repository: Path) -> Path:
    """Where git keeps what belongs to a worktree: ``.git``, or where a file of that name says."""
    path = repository / ".git"
    if path.is_dir():
        return path
    return repository / path.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")
