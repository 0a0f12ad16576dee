"""A new Django project, alone with a home of neonup's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.django.site import Site
from tests.project import clean_environ


@pytest.fixture
def site(tmp_path: Path, neonup_home: Path) -> Site:
    """A project with neonup's two lines; nothing has been started in it yet."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder, clean_environ(neonup_home, PYTHONDONTWRITEBYTECODE="1")).start()
