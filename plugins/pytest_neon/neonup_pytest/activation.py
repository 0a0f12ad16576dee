"""Whether the application finds its tests' database by itself: asked in every pytest run."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TypeAlias


class Unset(enum.Enum):
    """What an option is that the ini file does not have.

    A value of its own, given to pytest as the default: what pytest itself answers for an option
    without a default is None or an empty list, depending on its version, and an empty list is also
    what an option that was left empty on purpose is.
    """

    UNSET = enum.auto()


UNSET = Unset.UNSET

Env: TypeAlias = "tuple[str, ...] | Unset"
"""The variables of ``neon_env``; none where it is empty, which is not the same as unset."""

_COMMENT = b"# neonup: "
_SIGNS = {"pyproject.toml": b"tool.neonup", ".env": _COMMENT, ".env.local": _COMMENT}

_VARIABLES = ("NEONUP_ENV_FILE", "NEONUP_KEY", "NEONUP_MARKS")
"""Variables that say which URL neonup manages here, or that it has put one into the environment."""


def names(env: Env, root: Path) -> tuple[str, ...]:
    """The variables to set: those of ``neon_env``, else the project's own where it uses neonup.

    Args:
        env: what the ini file says.
        root: pytest's rootdir.
    """
    if not isinstance(env, Unset):
        return env
    asked_for = any(os.environ.get(name) for name in _VARIABLES)
    if not asked_for and not any(_has_sign(folder) for folder in (root, *root.parents)):
        return ()  # without an import, for all the runs that are no business of ours
    import neonup

    project = neonup.find_project(root)
    settings = neonup.resolve(project)
    used = asked_for or _has_sign(project) or _contains(settings.env_file, _COMMENT)
    return (settings.key,) if used else ()


def _has_sign(folder: Path) -> bool:
    return any(_contains(folder / name, sign) for name, sign in _SIGNS.items())


def _contains(path: Path, sign: bytes) -> bool:
    try:
        # A pipe is not read: what is taken out of it would be missing to the application.
        return path.is_file() and sign in path.read_bytes()
    except OSError:
        return False
