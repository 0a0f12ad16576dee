"""``[tool.neonup.variables]``: a project's own variables, made of its database's URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup import Database, SettingsError
from neonup.plugin.project import database_variables
from neonup.settings import resolve

URL = "postgresql://app:a%40b@ep-a-pooler.neon.example:6432/shop?sslmode=require"
DIRECT = "postgresql://app:a%40b@ep-a.neon.example:6432/shop?sslmode=require"


def declare(project: Path, lines: str, key: str = "DATABASE_URL") -> None:
    text = f'[tool.neonup]\nkey = "{key}"\n[tool.neonup.variables]\n{lines}\n'
    (project / "pyproject.toml").write_text(text)


def values(project: Path, url: str = URL, direct_url: str | None = DIRECT) -> dict[str, str]:
    settings = resolve(project, environ={})
    return database_variables(settings, Database(url, "local", direct_url=direct_url))


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{url}", URL),
        ("{direct_url}", DIRECT),
        ("{host}", "ep-a-pooler.neon.example"),
        ("{port}", "6432"),
        ("{user}", "app"),
        ("{password}", "a@b"),
        ("{database}", "shop"),
        ("{sslmode}", "require"),
        ("{psycopg_url}", URL),
        ("{sqlalchemy_psycopg_url}", URL.replace("postgresql", "postgresql+psycopg")),
        ("jdbc:postgresql://{host}:{port}/{database}", "jdbc:postgresql://ep-a-pooler.neon.example:6432/shop"),
        ("{{{database}}}", "{shop}"),
        ("fixed", "fixed"),
    ],
)  # fmt: skip
def test_a_template_is_filled_in(tmp_path: Path, template: str, value: str) -> None:
    declare(tmp_path, f"OF_OURS = '{template}'")
    assert values(tmp_path)["OF_OURS"] == value


def test_the_key_and_its_direct_form_are_among_the_variables(tmp_path: Path) -> None:
    declare(tmp_path, 'PORT_OF_IT = "{port}"', key="SHOP_URL")
    assert values(tmp_path) == {"SHOP_URL": URL, "SHOP_URL_DIRECT": DIRECT, "PORT_OF_IT": "6432"}
    assert values(tmp_path, direct_url=None) == {"SHOP_URL": URL, "PORT_OF_IT": "6432"}


def test_what_a_url_does_not_say_is_postgres_default(tmp_path: Path) -> None:
    declare(tmp_path, 'ALL = "{user}|{password}|{host}|{port}|{database}|{sslmode}"')
    assert values(tmp_path, "postgresql://app@", None)["ALL"] == "app||localhost|5432|app|prefer"


@pytest.mark.parametrize(
    ("line", "message", "remedy"),
    [
        ('HOST = "{hostname}"', "unknown placeholder {hostname}", "{host}"),
        ('HOST = "{host!r}"', "unknown placeholder {host}", "{host}"),
        ('HOST = "{host"', "braces that do not match", "{host}"),
        ('HOST = "{}"', "unknown placeholder {}", "{host}"),
        ('HOST = "a\\nb"', "characters that cannot be printed", "{host}"),
        ("PORT = 5432", "must be a string", '"{host}"'),
        ('HOST = ""', "must be a string", '"{host}"'),
        ('"MY-HOST" = "{host}"', "no name for a variable", "letters, digits"),
        ('NEONUP_KEY = "{host}"', "no name for a variable", "begin with NEONUP"),
        ('DATABASE_URL = "{url}"', "neonup sets DATABASE_URL itself", "setting key"),
        ('DATABASE_URL_DIRECT = "{url}"', "neonup sets DATABASE_URL_DIRECT itself", "setting key"),
    ],
)
def test_what_cannot_be_used_is_said_when_settings_are_read(
    tmp_path: Path, line: str, message: str, remedy: str
) -> None:
    declare(tmp_path, line)
    with pytest.raises(SettingsError) as raised:
        resolve(tmp_path, environ={})
    assert message in raised.value.message
    assert "pyproject.toml [tool.neonup.variables]" in raised.value.message
    assert remedy in (raised.value.remedy or "")


def test_a_misspelt_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.neonup.varaibles]\nHOST = "{host}"\n')
    with pytest.raises(SettingsError) as raised:
        resolve(tmp_path, environ={})
    assert "Did you mean 'variables'?" in (raised.value.remedy or "")


def test_they_belong_to_the_projects_own_key(tmp_path: Path) -> None:
    declare(tmp_path, 'HOST = "{host}"', key="SHOP_URL")
    assert resolve(tmp_path, environ={}, key="SHOP_URL").variables
    assert not resolve(tmp_path, environ={}, key="OTHER_URL").variables
    assert resolve(tmp_path, environ={"NEONUP_KEY": "OTHER_URL"}).variables
