"""Whether the application finds its tests' database by itself: asked in every pytest run."""

from __future__ import annotations

from pathlib import Path

_SIGNS = {"pyproject.toml": b"[tool.neonup", ".env": b"# neonup: ", ".env.local": b"# neonup: "}


def names(env: tuple[str, ...] | None, root: Path) -> tuple[str, ...]:
    """The variables to set: those of ``neon_env``, else the project's own where it uses neonup.

    Args:
        env: what the ini file says; None: nothing, empty: that there are none.
        root: pytest's rootdir.
    """
    if env is not None:
        return env
    if not any(_has_sign(folder) for folder in (root, *root.parents)):
        return ()  # without an import, for all the runs that are no business of ours
    import neonup

    project = neonup.find_project(root)
    return (neonup.resolve(project).key,) if _has_sign(project) else ()


def _has_sign(folder: Path) -> bool:
    return any(_contains(folder / name, sign) for name, sign in _SIGNS.items())


def _contains(path: Path, sign: bytes) -> bool:
    try:
        return sign in path.read_bytes()
    except OSError:
        return False
