"""Projects as users have them, started with no setting, where the engine is installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.django.site import Site
from tests.project import Project, clean_environ

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("neonup_postgres") is None,
    reason="neonup-postgres is not installed: make engine-install",
)

MIGRATION = """
from django.contrib.postgres.operations import CreateCollation, CryptoExtension
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [
        CryptoExtension(),
        CreateCollation("ci", "und-u-ks-level2", provider="icu", deterministic=False),
    ]
"""

APPLICATION = """
import os
import sqlalchemy as sa

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
engine = sa.create_engine(url)
metadata = sa.MetaData()
users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("uuid_generate_v4()")),
    sa.Column("name", sa.Text(collation="sv-x-icu")),
)
with engine.begin() as connection:
    connection.execute(sa.text('CREATE EXTENSION "uuid-ossp"'))
    connection.execute(sa.text("CREATE EXTENSION vector"))
    metadata.create_all(connection)
    connection.execute(users.insert(), [{"name": name} for name in ("ö", "z", "a")])
    print(*connection.scalars(sa.select(users.c.name).order_by(users.c.name)))
    print(len({*connection.scalars(sa.select(users.c.id))}))
    connection.execute(sa.text("CREATE TABLE items (id serial, embedding vector(3))"))
    connection.execute(sa.text("CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)"))
    connection.execute(sa.text("INSERT INTO items (embedding) VALUES ('[1,2,3]'), ('[4,5,6]')"))
    connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
    nearest = "SELECT id FROM items ORDER BY embedding <-> '[3,3,3]' LIMIT 1"
    print(connection.scalar(sa.text(nearest)))
    print("Index Scan" in str(connection.scalars(sa.text(f"EXPLAIN {nearest}")).all()))
"""


def test_django_with_crypto_and_a_collation_of_icu(tmp_path: Path, neonup_home: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    site = Site(folder, clean_environ(neonup_home, PYTHONDONTWRITEBYTECODE="1")).start()
    site.write("notes/migrations/0002_needs.py", MIGRATION)
    assert "notes.0002_needs... OK" in site.managed("migrate")
    assert site.query("SELECT crypt('a', gen_salt('bf')) LIKE '$2a$%'") == "t"
    assert site.query("SELECT 'Ä' = 'ä' COLLATE ci") == "t"
    assert "\nOK\n" in site.managed("test")


def test_sqlalchemy_with_uuids_a_collation_and_an_index_of_vectors(
    tmp_path: Path, neonup_home: Path
) -> None:
    (tmp_path / "pyproject.toml").touch()
    project = Project(tmp_path, clean_environ(neonup_home))
    printed = project.ok("run", "--", sys.executable, "-c", APPLICATION)
    assert printed.splitlines() == ["a z ö", "3", "1", "True"]
    assert project.query("SHOW server_version").startswith("18.")
