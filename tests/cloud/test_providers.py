"""The shared contract, on the providers ``account`` and ``claimable``."""

from __future__ import annotations

from pathlib import Path

import pytest

import neonup
from neonup.providers.registry import provider_class
from neonup.settings import resolve
from neonup_pytest import ProviderContract
from tests.emulator.serving import NeonServer


class TestAccount(ProviderContract):
    """A project of one's own."""

    @pytest.fixture
    def provider(
        self,
        neonup_home: Path,
        neon_server_here: NeonServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> neonup.Provider:
        for name, value in neon_server_here.environment.items():
            monkeypatch.setenv(name, value)
        return provider_class("account")(resolve(tmp_path))


class TestBranch(TestAccount):
    """A branch of a project that is there already."""

    @pytest.fixture
    def provider(
        self,
        neonup_home: Path,
        neon_server_here: NeonServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> neonup.Provider:
        from neonup_cloud import NeonClient

        for name, value in neon_server_here.environment.items():
            monkeypatch.setenv(name, value)
        with NeonClient() as neon:
            project = neon.projects.create(name="team")
            neon.operations.wait(project.operations)
        monkeypatch.setenv("NEON_PROJECT_ID", project.project.id)
        return provider_class("account")(resolve(tmp_path))

    def test_versions_are_kept_looked_at_and_gone_back_to(
        self, provider: neonup.Provider, database: neonup.Database
    ) -> None:
        """Neon keeps none of a branch that was made of another."""
        versions = provider.versions(database)
        assert versions is not None
        assert versions.history() == []
        with pytest.raises(neonup.ProviderError, match="root branches only") as refusal:
            versions.checkpoint()
        assert refusal.value.remedy


class TestClaimable(ProviderContract):
    """An agent's project."""

    @pytest.fixture
    def provider(
        self,
        neonup_home: Path,
        neon_server_here: NeonServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> neonup.Provider:
        root = neon_server_here.base.removesuffix("/api/v2")
        monkeypatch.setenv("CLAIMABLE_NEON_HOST", root)
        return provider_class("claimable")(resolve(tmp_path))
