"""What needs no database makes none, starts none and writes nothing, with DEBUG on too."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

import django_neon
from tests.django.site import Site
from tests.project import names

FILES = ["manage.py", "notes", "shop"]


def unchanged(site: Site, home: Path, before: list[str]) -> bool:
    return names(site.folder) == FILES and names(home) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--deploy", "--tag", "neonup"),
        ("collectstatic", "--noinput"),
        ("makemigrations", "--check", "--dry-run"),
        ("diffsettings",),
        ("shell", "-c", "import notes.models, shop.urls"),
        ("help",),
    ],
    ids=" ".join,
)
def test_a_command_that_needs_none(
    site: Site, neonup_home: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    site.set(f"STATIC_ROOT = {str(tmp_path / 'static')!r}")
    before = names(neonup_home)
    said = site.managed(*arguments, PYTHONWARNINGS="error")
    assert "DATABASE_URL" not in said
    assert unchanged(site, neonup_home, before)


@pytest.mark.parametrize(
    "code",
    [
        "import shop.settings",
        "import django; django.setup(); from django.db import connection; print(connection.vendor)",
        "import shop.wsgi, shop.asgi",
    ],
)
def test_importing(site: Site, neonup_home: Path, code: str) -> None:
    before = names(neonup_home)
    done = site.python(code, DJANGO_SETTINGS_MODULE="shop.settings", NEONUP_ENV="development")
    assert done.returncode == 0, done.stderr
    assert unchanged(site, neonup_home, before)


def test_mypy_with_django_stubs(site: Site, neonup_home: Path, tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nplugins = mypy_django_plugin.main\n"
        f"cache_dir = {tmp_path / 'cache'}\nignore_missing_imports = True\n"
        "[mypy.plugins.django-stubs]\ndjango_settings_module = shop.settings\n"
    )
    before = names(neonup_home)
    command = [*site.interpreter, "-m", "mypy", "--config-file", str(tmp_path / "mypy.ini")]
    done = site.command([*command, "notes/models.py"], PYTHONPATH=str(site.folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert unchanged(site, neonup_home, before)


def test_an_entry_can_be_printed_and_pickled() -> None:
    entry = django_neon.database(OPTIONS={"pool": True}, ATOMIC_REQUESTS=True)
    for same in (pickle.loads(pickle.dumps(entry)), copy.deepcopy(entry), {**entry}):
        assert same == entry
        assert f"{same['ENGINE']}" == "django_neon.postgresql"
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert entry["ATOMIC_REQUESTS"] is True
    assert entry["CONN_HEALTH_CHECKS"] is True
    assert django_neon.database(conn_max_age=None, conn_health_checks=False)["CONN_MAX_AGE"] is None


@pytest.mark.parametrize("wrong", ["USER", "HOST", "ENGINE", "ssl_require"])
def test_what_an_entry_cannot_have_is_refused(wrong: str) -> None:
    options: dict[str, Any] = {wrong: "x"}
    with pytest.raises(TypeError, match=wrong):
        django_neon.database(**options)


def test_what_on_create_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="migrate"):
        django_neon.database(on_create="seed")
