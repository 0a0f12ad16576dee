"""What the tests of the templates share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import clean_environ


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One for all projects: most of what mypy looks at is the same in each."""
    return str(tmp_path_factory.mktemp("mypy"))


@pytest.fixture
def shell(tmp_path: Path, neonup_home: Path) -> dict[str, str]:
    """The environment of somebody who makes a project: with a home of their own, and empty."""
    home = tmp_path / "home"
    scratch = tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    return clean_environ(neonup_home) | {"HOME": str(home), "TMPDIR": str(scratch)}
