"""What is tried here: what `make dist` made, or else what this run builds itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import neonup
from tests.release.building import FOLDERS, build_all


@dataclass(frozen=True)
class Dist:
    """A folder with the files of all distributions."""

    folder: Path

    def wheel(self, name: str) -> Path:
        (found,) = self.folder.glob(f"{name.replace('-', '_')}-{neonup.__version__}-*.whl")
        return found

    def sdist(self, name: str) -> Path:
        return self.folder / f"{name.replace('-', '_')}-{neonup.__version__}.tar.gz"

    def archives(self, name: str) -> list[Path]:
        return [self.wheel(name), self.sdist(name)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--release", type=Path, help="the folder with what is to be released")


@pytest.fixture(scope="session")
def dist(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Dist:
    # Absent where pytest was started for more than this folder.
    given: Path | None = pytestconfig.getoption("--release", default=None)
    if given is not None:
        return Dist(given.resolve())
    folder = tmp_path_factory.mktemp("dist")
    build_all(folder)
    return Dist(folder)


@pytest.fixture(params=FOLDERS)
def name(request: pytest.FixtureRequest) -> str:
    """A distribution's name."""
    return str(request.param)
