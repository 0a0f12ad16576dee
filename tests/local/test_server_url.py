"""``neonup url --server``: for suites that connect to a server and name databases themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from neonup import urls
from tests.project import Project, clean_environ


@pytest.fixture
def shop(tmp_path: Path, neonup_home: Path) -> Project:
    return Project(tmp_path, clean_environ(neonup_home))


def test_it_leads_to_a_database_of_the_roles_name_and_to_any_other(shop: Project) -> None:
    shop.ok()
    server = shop.ok("url", "--server").strip()
    assert server == shop.url.removesuffix("/neondb")
    with psycopg.connect(server, autocommit=True) as connection:
        assert connection.info.dbname == urls.parse(server).user == "neondb_owner"
        connection.execute("CREATE DATABASE test")
    with psycopg.connect(f"{server}/test") as connection:
        assert connection.info.dbname == "test"
    assert shop.json("url", "--server") == {"url": server}
    assert shop.ok("url", "--server", "--driver", "sqlalchemy-asyncpg").strip() == (
        server.replace("postgresql", "postgresql+asyncpg")
    )


def test_it_can_be_asked_for_by_several_at_once(shop: Project) -> None:
    shop.ok()
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(lambda _: shop.ok("url", "--server"), range(4)))
    assert answers == {shop.url.removesuffix("/neondb") + "\n"}


def test_of_the_users_own_database_it_is_the_url_without_the_name(shop: Project) -> None:
    mine = "postgresql://app:a%2Fb@db.example:6543/shop?sslmode=require"
    printed = shop.ok("url", "--server", DATABASE_URL=mine)
    assert printed == "postgresql://app:a%2Fb@db.example:6543?sslmode=require\n"


def test_a_provider_without_servers_says_so(shop: Project) -> None:
    shop.env_file.write_text(
        "DATABASE_URL=postgresql://app:secret@db.example/shop\n"
        "# neonup: DATABASE_URL provider=neon.new id=0123 host=db.example\n"
    )
    said = shop.fails("url", "--server")
    assert "The provider 'neon.new' gives a database, not a server" in said
