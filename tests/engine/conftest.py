"""The engine's wheels, made once for all processes of a run and all runs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import parts, wheel_cache
from engine.parts import Platform


@pytest.fixture(scope="module", params=parts.PLATFORMS)
def platform(request: pytest.FixtureRequest) -> Platform:
    return parts.PLATFORMS[request.param]


@pytest.fixture(scope="module")
def wheel(platform: Platform) -> Path:
    return wheel_cache.cached(platform, parts.NEWEST)


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """The Postgres of this machine's wheel, as pip installs it where every account can read it."""
    here = parts.this_machine()
    assert here, "no wheel is made for this machine"
    made = wheel_cache.cached(here, parts.NEWEST)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--no-deps", "--no-index", str(made)]
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        subprocess.run([*pip, "--target", folder], check=True, capture_output=True)
        Path(folder).chmod(0o755)
        yield Path(folder, "neonup_postgres", "pginstall")
