"""The shared contract, on the built-in providers and on a third party's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

import neonup
from neonup.providers.registry import provider_class
from neonup.settings import resolve
from neonup_pytest import ProviderContract
from tests.environments import layered_environment, offline_pip
from tests.neon_new_server import NeonNewServer

SAMPLE = Path(__file__).parents[1] / "plugin_provider"


def _provider(name: str, project: Path) -> neonup.Provider:
    return provider_class(name)(resolve(project))


class TestLocal(ProviderContract):
    """The provider ``local``."""

    @pytest.fixture
    def provider(self, neonup_home: Path, tmp_path: Path) -> neonup.Provider:
        return _provider("local", tmp_path)


class TestNeonNew(ProviderContract):
    """The provider ``neon.new``, against a local one."""

    finds_again = False
    deletes = False

    @pytest.fixture
    def provider(
        self,
        neonup_home: Path,
        neon_new_server: NeonNewServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> neonup.Provider:
        monkeypatch.setenv("NEONUP_NEON_NEW_URL", neon_new_server.api)
        return _provider("neon.new", tmp_path)


@pytest.fixture(scope="module")
def installed_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment in which the sample is installed as anybody's plugin would be."""
    folder = tmp_path_factory.mktemp("sample")
    source = shutil.copytree(SAMPLE, folder / "source")  # building writes beside the source
    programs = layered_environment(folder / "environment")
    environ = offline_pip({"PATH": "/usr/bin:/bin", "HOME": str(folder)}, programs)
    subprocess.run(
        [programs / "pip", "install", "--quiet", source], env=environ, check=True, text=True
    )
    return folder / "environment"


class TestSample(ProviderContract):
    """The third party's provider of tests/plugin_provider, on a server of ours."""

    @pytest.fixture(autouse=True)
    def _environment(
        self, installed_sample: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        self.python = str(installed_sample / "bin" / "python")
        base = {"base": str(installed_sample), "platbase": str(installed_sample)}
        monkeypatch.syspath_prepend(sysconfig.get_path("purelib", "venv", base))
        yield
        for name in [name for name in sys.modules if name.startswith("neonup_shared")]:
            del sys.modules[name]

    @pytest.fixture
    def provider(
        self, neonup_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> neonup.Provider:
        team = tmp_path / "team"
        team.mkdir()
        spec = neonup.DatabaseSpec(team, key="DATABASE_URL", env_file=team / ".env")
        server = _provider("local", team).provision(spec)
        monkeypatch.setenv("NEONUP_SHARED_URL", server.url)
        return _provider("shared", tmp_path)

    def test_its_variables_are_written(self, provider: neonup.Provider, tmp_path: Path) -> None:
        project = tmp_path / "bakery"
        project.mkdir()
        self._neonup(project, "--provider", "shared")
        assert "SHARED_DATABASE=neonup_" in (project / ".env").read_text("utf-8")

    def test_destroy_drops_it(self, provider: neonup.Provider, tmp_path: Path) -> None:
        project = tmp_path / "bakery"
        project.mkdir()
        self._neonup(project, "--provider", "shared")
        self._neonup(project, "destroy", "--yes")
        assert not (project / ".env").exists()  # as it was before

    def test_without_its_option_it_says_what_to_set(
        self, provider: neonup.Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NEONUP_SHARED_URL")
        assert "NEONUP_SHARED_URL" in (provider.unavailable() or "")
