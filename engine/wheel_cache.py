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
    place = folder(platform, major)
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        for made in place.glob("*.whl"):
            return made
        made, _ = wheel.assemble(platform, major, place / "half-made")
        return made.replace(place / made.name)


def folder(platform: Platform, major: int) -> Path:
    """Where the wheel is, once it was assembled."""
    return downloads.cache() / "wheels" / _mark() / f"{platform.name}-{major}"


def _mark() -> str:
    """What stands for everything of this repository that a wheel depends on."""
    digest = hashlib.sha256()
    sources = (Path(__file__).parent, wheel.DISTRIBUTION)
    for path in sorted(path for source in sources for path in source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
