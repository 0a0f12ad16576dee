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


def is_published(path: Path) -> bool:
    """Whether a file lies in a repository that does not ignore it; False without git.

    A link is what it leads to. A tracked file counts, unless git is told to skip its changes; so
    does one of which git cannot say it.
    """
    try:
        return is_committed(path)
    except GitFailed:
        return True


def is_committed(path: Path) -> bool:
    """As `is_published`.

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
    """As `_status`.

    Raises:
        GitFailed: git ended with something else than an answer.
    """
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
    found = _repository(folder)
    if found is None:
        return None
    try:
        head = (_git_folder(found) / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return head.removeprefix(_BRANCH) if head.startswith(_BRANCH) else None


def git_branches(folder: Path) -> frozenset[str] | None:
    """The branches of a repository; None: it is unknown which there are."""
    if _repository(folder) is None:
        return None
    status, said = _status(folder, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")
    checked_out = branch(folder)  # which has no ref before its first commit
    names = [*said.splitlines(), *([checked_out] if checked_out else [])]
    return frozenset(names) if status == 0 else None


def in_main_worktree(folder: Path) -> Path | None:
    """The same folder in the repository's main worktree; None: it is in that one, or in none.

    https://git-scm.com/docs/git-worktree#_details
    """
    found = _repository(folder)
    if found is None or (found / ".git").is_dir():
        return None
    try:
        git_folder = _git_folder(found)
        common = git_folder / (git_folder / "commondir").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):  # a submodule's has no such file
        return None
    main = common.resolve()
    if main.name != ".git":
        return None  # a bare repository has no main worktree
    return main.parent / folder.resolve().relative_to(found.resolve())


def is_other_worktree(folder: Path, other: Path) -> bool:
    """Whether a folder is in a linked worktree of the repository that has another folder, too.

    The other one is in the main worktree, or in another linked one.
    """
    mine, theirs = _repository(folder), _repository(other)
    if mine is None or theirs is None or (mine / ".git").is_dir() or mine.samefile(theirs):
        return False
    common = _common(mine)
    return common is not None and common == _common(theirs)


def _common(repository: Path) -> Path | None:
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
    for one in (folder, *folder.parents):
        if os.path.lexists(one / ".git"):  # unlike a Path's, it does not raise
            return one
    return None


def _git_folder(repository: Path) -> Path:
    """Where git keeps what belongs to a worktree: ``.git``, or where a file of that name says."""
    path = repository / ".git"
    if path.is_dir():
        return path
    return repository / path.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")


def _status(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """What a command of git's ends with and prints; None where it cannot be started."""
    import subprocess

    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    except (OSError, ValueError):
        return None, ""
    return done.returncode, done.stdout
