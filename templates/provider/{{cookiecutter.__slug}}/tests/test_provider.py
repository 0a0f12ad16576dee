"""The provider keeps neonup's contract, and says what it lacks."""

from pathlib import Path

import neonup
import pytest
from neonup_pytest import ProviderContract

from {{ cookiecutter.__package }}.provider import {{ cookiecutter.__class }}


class Test{{ cookiecutter.__class }}(ProviderContract):
    """The contract, on a server of the tests' own."""

    @pytest.fixture
    def provider(
        self, neon_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> neonup.Provider:
        monkeypatch.setenv("{{ cookiecutter.__variable }}", neon_url)
        return {{ cookiecutter.__class }}(neonup.resolve(tmp_path))

    def test_without_a_server_it_says_what_to_set(
        self, provider: neonup.Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("{{ cookiecutter.__variable }}")
        assert "{{ cookiecutter.__variable }}" in (provider.unavailable() or "")

    def test_a_server_that_is_gone_is_named_without_its_password(
        self, provider: neonup.Provider, spec: neonup.DatabaseSpec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = "postgresql://app:secret@127.0.0.1:1/app"
        monkeypatch.setenv("{{ cookiecutter.__variable }}", url)
        with pytest.raises(neonup.ProviderError) as refusal:
            provider.provision(spec)
        assert "127.0.0.1:1" in str(refusal.value)
        assert "secret" not in str(refusal.value)
