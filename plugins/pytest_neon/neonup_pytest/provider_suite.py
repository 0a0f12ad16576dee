"""What every provider does alike. A test class of a provider inherits `ProviderContract`.

It brings the fixture ``provider``; the rest is here. The databases are real ones. It connects with
psycopg, so ``pip install "neonup[pytest]" "psycopg[binary]"``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

import neonup


class ProviderContract:
    """The contract of `neonup.Provider`, as tests."""

    python = sys.executable
    """The Python in whose environment the provider is installed."""

    finds_again: ClassVar[bool] = True
    """Whether a second ``provision`` for the same project finds what the first one made."""

    deletes: ClassVar[bool] = True
    """Whether it can delete, rather than say why not."""

    @pytest.fixture
    def provider(self) -> neonup.Provider:
        """The provider, its options set in ``os.environ``, ready to make databases."""
        raise NotImplementedError("a provider's test class must define this fixture")

    @pytest.fixture
    def spec(self, tmp_path: Path) -> neonup.DatabaseSpec:
        """What the flow would ask for in a new project."""
        return _spec(tmp_path / "shop")

    @pytest.fixture
    def database(self, provider: neonup.Provider, spec: neonup.DatabaseSpec) -> neonup.Database:
        """A new database of the provider's."""
        return provider.provision(spec)

    def test_it_can_be_used_here(self, provider: neonup.Provider) -> None:
        assert provider.name
        assert provider.unavailable() is None
        assert all(isinstance(fact, str) for fact in provider.facts())

    def test_a_new_database_answers(self, database: neonup.Database) -> None:
        for url in (database.url, database.direct):
            with psycopg.connect(url, connect_timeout=30) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz)")
                assert connection.execute("SELECT count(*) FROM visit").fetchone() == (0,)

    def test_a_new_database_is_described(
        self, provider: neonup.Provider, spec: neonup.DatabaseSpec, database: neonup.Database
    ) -> None:
        assert database.provider == provider.name
        assert database.key == spec.key
        assert database.created
        assert database.id
        if database.expires_at is not None:
            assert database.expires_at.tzinfo is not None
            assert database.expires_at > datetime.now(UTC)

    def test_a_new_database_is_ready(
        self, provider: neonup.Provider, database: neonup.Database
    ) -> None:
        assert provider.check(database) is neonup.State.READY
        seen = provider.inspect(database)
        assert seen.state is neonup.State.READY
        assert (seen.database.id, seen.database.url) == (database.id, database.url)
        again = provider.inspect(seen.database)
        assert again.state is neonup.State.READY

    def test_one_whose_time_ran_out_is_expired(
        self, provider: neonup.Provider, database: neonup.Database
    ) -> None:
        if database.expires_at is not None:
            late = database.with_(expires_at=datetime.now(UTC) - timedelta(seconds=1))
            assert provider.check(late) is neonup.State.EXPIRED

    def test_asked_again_it_finds_what_is_there_or_makes_another(
        self,
        provider: neonup.Provider,
        spec: neonup.DatabaseSpec,
        database: neonup.Database,
    ) -> None:
        again = provider.provision(spec)
        assert (again.id == database.id) is self.finds_again
        with psycopg.connect(database.url, connect_timeout=30) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    def test_two_projects_share_nothing(
        self, provider: neonup.Provider, database: neonup.Database, tmp_path: Path
    ) -> None:
        other = provider.provision(_spec(tmp_path / "blog"))
        assert other.id != database.id
        with psycopg.connect(database.url, connect_timeout=30, autocommit=True) as connection:
            connection.execute("CREATE TABLE only_here ()")
        with psycopg.connect(other.url, connect_timeout=30) as connection:
            row = connection.execute("SELECT to_regclass('only_here')").fetchone()
        assert row == (None,)

    def test_no_secret_is_shown(self, provider: neonup.Provider, database: neonup.Database) -> None:
        seen = provider.inspect(database)
        shown = "\n".join([repr(database), repr(seen), *map(str, seen.detail.values())])
        for secret in _secrets(database):
            assert secret not in shown

    def test_deleted_it_is_gone_or_says_why_not(
        self, provider: neonup.Provider, database: neonup.Database
    ) -> None:
        if self.deletes:
            provider.delete(database)
            assert provider.inspect(database).state is neonup.State.MISSING
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(database.url, connect_timeout=5)
            return
        with pytest.raises(neonup.ProviderError) as refusal:
            provider.delete(database)
        assert refusal.value.remedy
        assert not any(secret in str(refusal.value) for secret in _secrets(database))
        assert provider.check(database) is neonup.State.READY

    def test_versions_are_kept_looked_at_and_gone_back_to(
        self, provider: neonup.Provider, database: neonup.Database
    ) -> None:
        versions = provider.versions(database)
        if versions is None:
            return  # it keeps none, which is its right
        _run(database.direct, "CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS n")
        version = versions.checkpoint("good")
        assert [version.name for version in versions.history()] == ["good"]
        with pytest.raises(neonup.NeonupError):
            versions.checkpoint("good")
        _run(database.direct, "UPDATE kept SET n = 2")
        preview = versions.preview(version)
        assert preview in versions.branches()
        assert _run(preview.url, "TABLE kept") == 1
        assert _run(database.direct, "TABLE kept") == 2
        versions.delete_branch(preview)
        assert versions.restore(version).name == "good"
        assert _run(database.direct, "TABLE kept") == 1
        versions.delete(next(version for version in versions.history() if version.name == "good"))
        assert "good" not in {version.name for version in versions.history()}
        assert _run(database.direct, "TABLE kept") == 1

    def test_the_command_makes_one_and_finds_it_again(
        self, provider: neonup.Provider, tmp_path: Path
    ) -> None:
        project = tmp_path / "cafe"
        project.mkdir()
        first = self._neonup(project, "--provider", provider.name)
        recorded = (project / ".env").read_bytes()
        second = self._neonup(project)
        assert "created" in first.splitlines()[0]
        assert "found" in second.splitlines()[0]
        assert (project / ".env").read_bytes() == recorded
        assert f"provider={provider.name} ".encode() in recorded
        answer = self._neonup(project, "psql", "--", "-XAtc", "SELECT 40 + 2")
        assert answer.strip() == "42"

    def _neonup(self, project: Path, *arguments: str) -> str:
        hidden = ("PYTEST", "CI", "DATABASE_URL")
        done = subprocess.run(
            [self.python, "-m", "neonup", *arguments],
            cwd=project,
            env={k: v for k, v in os.environ.items() if not k.startswith(hidden)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _spec(project: Path) -> neonup.DatabaseSpec:
    project.mkdir()
    return neonup.DatabaseSpec(project, key="DATABASE_URL", env_file=project / ".env")


def _secrets(database: neonup.Database) -> list[str]:
    password = urlsplit(database.url).password or ""
    secrets = {password, unquote(password), database.claim_url or ""}
    return [secret for secret in secrets if secret]


def _run(url: str, statement: str) -> object:
    """What a statement answers first, on a connection of its own."""
    with psycopg.connect(url, connect_timeout=30, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
