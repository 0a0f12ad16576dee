"""The migrations make what the models say, and can be taken back."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from neonup import Database

CONFIG = Path(__file__).parents[1] / "alembic.ini"


@pytest.fixture
def config(neon_db: Database) -> Config:
    """Alembic's configuration; `neon_db` is migrated already."""
    return Config(CONFIG)


def test_models_and_migrations_agree(config: Config) -> None:
    command.check(config)


def test_migrations_go_down_and_up_again(config: Config) -> None:
    command.downgrade(config, "base")
    command.upgrade(config, "head")
