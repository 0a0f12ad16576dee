"""Wheels that were assembled once, for all clones of the repository."""

from __future__ import annotations

import hashlib
from pathlib import Path

from filelock import FileLock

from engine import downloads, wheel
from engine.parts import Platform


def cached(platform: Platform, major: int) -> Path:
    """The wheel of a platform and a major version, assembled where this has not been done yet.

    Raises:
        NeonupError: a package cannot be had, or is not the recorded one.
    """
    folder = downloads.cache() / "wheels" / _mark() / f"{platform.name}-{major}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        for made in folder.glob("*.whl"):
            return made
        half_made = folder / "half-made"
        made, _ = wheel.assemble(platform, major, half_made)
        return made.replace(folder / made.name)


def _mark() -> str:
    """What stands for everything of this repository that a wheel depends on."""
    digest = hashlib.sha256()
    sources = (Path(__file__).parent, wheel.DISTRIBUTION)
    for path in sorted(path for source in sources for path in source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
