"""Whether the application finds its tests' database by itself: asked in every pytest run."""

from __future__ import annotations

from pathlib import Path

import neonup


def names(env: tuple[str, ...] | None, root: Path) -> tuple[str, ...]:
    """The variables to set: those of ``neon_env``, else the project's own where it uses neonup.

    Args:
        env: what the ini file says; None: nothing, empty: that there are none.
        root: pytest's rootdir.
    """
    if env is not None:
        return env
    project = neonup.find_project(root)
    signs = {
        project / "pyproject.toml": b"[tool.neonup",
        project / ".env": b"# neonup: ",
        project / ".env.local": b"# neonup: ",
    }
    if any(_contains(path, sign) for path, sign in signs.items()):
        return (neonup.resolve(project).key,)
    return ()


def _contains(path: Path, sign: bytes) -> bool:
    try:
        return sign in path.read_bytes()
    except OSError:
        return False
