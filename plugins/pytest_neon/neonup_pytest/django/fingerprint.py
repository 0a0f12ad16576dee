"""What tells that migrations have changed, without importing them: 200 of them take seconds."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.apps import AppConfig

    from neonup_pytest.django.entries import Entry

_FORM = 2
"""Counted up when the same migrations come to make another template."""

_SETTINGS = (
    *("AUTH_USER_MODEL", "CACHES", "DATABASE_ROUTERS", "DEFAULT_AUTO_FIELD"),
    *("DEFAULT_INDEX_TABLESPACE", "DEFAULT_TABLESPACE", "INSTALLED_APPS", "LANGUAGE_CODE"),
    *("SITE_ID", "TIME_ZONE", "USE_TZ"),
)
_IMPORTED = re.compile(rb"^\s*(?:from\s+([\w.]+)\s+import\s+([\w, ]+)|import\s+([\w.]+))", re.M)
_INSTALLED = ("site-packages", "dist-packages")


def of_alias(alias: str, entry: Entry) -> str:
    """Changes when what ``migrate`` makes of an empty database changes.

    What it is made of: the migrations and whatever else is in their folders, the project's modules
    that they import, the models of apps without migrations, the modules of app configurations, of
    routers and of the handlers of ``post_migrate``, the settings' modules, and some settings'
    values.

    Args:
        alias: the database's alias.
        entry: its entry in ``DATABASES``.
    """
    import django

    test = {name: entry["TEST"].get(name) for name in ("MIGRATE", "TEMPLATE")}
    head = [_FORM, django.VERSION, alias, entry["ENGINE"], test, entry["OPTIONS"].get("options")]
    digest = hashlib.sha256(repr([*head, _settings()]).encode())
    for path, content in sorted(_contents().items()):
        digest.update(f"\n{'/'.join(path.parts[-3:])} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _settings() -> list[str]:
    from django.apps import apps
    from django.conf import settings
    from django.db.migrations.loader import MigrationLoader

    values = [repr(getattr(settings, name, None)) for name in _SETTINGS]
    modules = [MigrationLoader.migrations_module(app.label) for app in apps.get_app_configs()]
    return [*values, repr(modules)]


def _contents() -> dict[Path, bytes]:
    """All files that count, with what is in them."""
    from django.apps import apps

    migrations: set[Path] = set()
    others = {*_of_settings(), *_of_handlers()}
    for app in apps.get_app_configs():
        others.update(_of_class(type(app)))
        folder = _migrations(app)
        if folder is None or not (folder / "__init__.py").is_file():
            others.update(_of_models(app))
        else:
            migrations.update(_below(folder))
    contents = {path: _content(path) for path in migrations}
    texts = [text for path, text in contents.items() if path.suffix == ".py"]
    others.update(_imported(texts))
    return {**{path: _content(path) for path in others}, **contents}


def _migrations(app: AppConfig) -> Path | None:
    """The folder of an app's migrations; None if it has none."""
    from django.db.migrations.loader import MigrationLoader

    module, _ = MigrationLoader.migrations_module(app.label)
    if module is None:
        return None
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]) if places else None


def _below(folder: Path) -> Iterator[Path]:
    if _is_djangos(folder):
        return
    for path in folder.rglob("*"):
        if "__pycache__" not in path.parts and path.is_file():
            yield path


def _of_models(app: AppConfig) -> Iterator[Path]:
    """The modules that say what an app's tables look like, where no migration says it."""
    for model in app.get_models(include_auto_created=True):
        yield from _of_class(model)
        for field in model._meta.get_fields():
            yield from _of_class(type(field))


def _of_class(kind: type[Any]) -> Iterator[Path]:
    for base in kind.__mro__:
        yield from _of_module(base.__module__)


def _of_module(name: str) -> Iterator[Path]:
    file = getattr(sys.modules.get(name), "__file__", None)
    if file and not _is_djangos(Path(file)):
        yield Path(file)


def _of_settings() -> Iterator[Path]:
    """The settings' module, and those beside it where it is in a package of settings."""
    from django.conf import settings
    from django.db import router

    name = getattr(settings, "SETTINGS_MODULE", None) or ""
    package = name.rpartition(".")[0]
    for module in list(sys.modules):
        beside = "settings" in package and module.startswith(f"{package}.")
        if module == name or beside:
            yield from _of_module(module)
    for database_router in router.routers:
        yield from _of_class(type(database_router))


def _of_handlers() -> Iterator[Path]:
    from django.db.models.signals import post_migrate, pre_migrate

    for signal in (pre_migrate, post_migrate):
        for receiver in (entry[1] for entry in signal.receivers):
            handler = receiver() if isinstance(receiver, weakref.ref) else receiver
            if module := getattr(handler, "__module__", None):
                yield from _of_module(module)


def _imported(texts: Iterable[bytes]) -> Iterator[Path]:
    """The project's modules that migrations import, found by their names."""
    from django.apps import apps

    names = set()
    for text in texts:
        for module, attributes, plain in _IMPORTED.findall(text):
            name = (module or plain).decode()
            if not name.startswith("django"):
                names.add(name)
                names.update(
                    f"{name}.{attribute.strip()}" for attribute in attributes.decode().split(",")
                )
    roots = {
        Path(app.path).parents[app.name.count(".")]
        for app in apps.get_app_configs()
        if not _is_installed(Path(app.path))
    }
    for name in names:
        for root in roots:
            place = root.joinpath(*name.split("."))
            yield from filter(Path.is_file, (place.with_suffix(".py"), place / "__init__.py"))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it was there a moment ago, or may not be read
        return b""


def _is_djangos(path: Path) -> bool:
    """Whether Django itself has it, whose version is known."""
    import django

    return path.is_relative_to(django.__path__[0])


def _is_installed(path: Path) -> bool:
    return any(name in path.parts for name in _INSTALLED)
