"""The settings as keyword arguments, for type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict


class Arguments(TypedDict, total=False):
    """The settings that can be given as arguments; see `neonup.settings.Settings`."""

    env: str | None
    provider: str | None
    key: str | None
    url_scheme: str | None
    env_file: Path | str | None
    env_keys: str | None
    prefix: str | None
    seed: Path | str | None
    migrate: str | None
    migrate_on: str | None
    ref: str | None
    logical_replication: bool | None
    on_expiry: str | None
    banner: bool | None
    pg_bin: Path | str | None
    postgres: int | None
    extensions: Sequence[str] | None
    checkpoint_migrations: bool | None
    git_branches: bool | None
    owner: Path | str | None
