"""A plugin as anybody could have installed it, without a package index."""

from __future__ import annotations

from pathlib import Path


def install(site: Path, name: str, source: str) -> None:
    """Put a module with an entry point into a folder for ``PYTHONPATH``."""
    info = site / f"neonup_{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: neonup-{name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[neonup]\n{name} = neonup_{name}\n")
    (site / f"neonup_{name}.py").write_text(source)
