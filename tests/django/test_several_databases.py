"""Several databases, other ways to describe them beside neonup's, another backend underneath."""

from __future__ import annotations

from pathlib import Path

from tests.django.site import Site
from tests.project import Project, names

CONNECTED = """
from django.db import connections
for connection in connections.all():
    connection.ensure_connection()
"""


def ports(site: Site, **environ: str) -> dict[str, str]:
    expression = "{alias: connections[alias].settings_dict['PORT'] for alias in connections}"
    found: dict[str, str] = site.evaluated(expression, CONNECTED, **environ)
    return found


def test_each_has_its_own(site: Site) -> None:
    site.databases("django_neon.database()", analytics='django_neon.database("analytics")')
    found = ports(site)
    assert found["default"] != found["analytics"]
    assert f":{found['default']}/" in site.url
    assert f":{found['analytics']}/" in str(site.variables["ANALYTICS_DATABASE_URL"])
    assert "OK" in site.managed("test")
    status = site.managed("neonup", "url", "--database", "analytics").splitlines()
    assert site.variables["ANALYTICS_DATABASE_URL"] in status


def test_key_and_file_can_be_named(site: Site) -> None:
    site.databases('django_neon.database(key="SHOP_URL", env_file="shop/local.env")')
    site.managed("migrate")
    assert "SHOP_URL=" in site.read("shop/local.env")
    assert ".env" not in names(site.folder)
    assert "postgresql://" in site.managed("neonup", "url")


def test_an_ordinary_postgres_works_beside_it(site: Site, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", site.environ)
    other.folder.mkdir()
    other.ok()
    site.set(f"import dj_database_url\nLEGACY = dj_database_url.parse({other.url!r})")
    site.databases("django_neon.database()", legacy="LEGACY")
    found = ports(site)
    assert f":{found['legacy']}/" in other.url
    assert f":{found['default']}/" in site.url


def test_django_environ_reads_the_same_file(site: Site) -> None:
    site.env_file.write_text("GREETING=hello\n")
    site.set(
        "import environ\nenv = environ.Env()\nenviron.Env.read_env(BASE_DIR / '.env')\n"
        "GREETING = env('GREETING')"
    )
    first = ports(site)
    assert first == ports(site)
    with site.runserver() as server:
        assert str(server.json()["port"]) == first["default"]
        [said] = server.banners
        assert "found a local Postgres" in said


def test_dj_database_url_reads_what_neonup_wrote(site: Site) -> None:
    site.managed("migrate")
    site.set(
        "import dj_database_url, environ\nenviron.Env.read_env(BASE_DIR / '.env')\n"
        "DATABASES = {'default': dj_database_url.config()}"
    )
    assert "No migrations to apply" in site.managed("migrate")


def test_another_backend_is_underneath(site: Site) -> None:
    site.write("mine/__init__.py", "")
    site.write(
        "mine/base.py",
        "from django.db.backends.postgresql import base, creation\n"
        "class Creation(creation.DatabaseCreation):\n    mine = True\n"
        "class DatabaseWrapper(base.DatabaseWrapper):\n"
        "    display_name = 'Mine'\n    creation_class = Creation\n"
        "    def prepare_database(self):\n"
        "        super().prepare_database()\n        print('prepared by mine')\n",
    )
    site.databases('django_neon.database(engine="mine")')
    said = site.managed("migrate")
    assert "prepared by mine" in said
    assert "created a local Postgres" in said
    seen = "[connection.display_name, connection.creation.mine, connection.vendor]"
    assert site.evaluated(seen, CONNECTED) == ["Mine", True, "postgresql"]
    assert "OK" in site.managed("test")


def test_psycopgs_pool_is_djangos_option(site: Site) -> None:
    site.databases("django_neon.database(OPTIONS={'pool': {'min_size': 2, 'max_size': 2}})")
    site.managed("migrate")
    with site.runserver("--noreload") as server:
        assert len({server.json()["pid"] for _ in range(8)}) <= 2
