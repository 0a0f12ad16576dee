"""neonup for Django: two lines in the settings, and the database exists when it is needed.

INSTALLED_APPS = [..., "django_neon"]
DATABASES = {"default": django_neon.database()}
"""

from __future__ import annotations

import os
from typing import Any

from django_neon.entry import LATER, BackendName, Entry

__all__ = ["database"]

_FILLED_LATER = frozenset({"ENGINE", "HOST", "NEON", "PASSWORD", "PORT", "USER"})


def database(
    alias: str = "default",
    *,
    key: str | None = None,
    env_file: str | os.PathLike[str] | None = None,
    pooled: bool | None = None,
    on_create: str | None = None,
    engine: str = "django.db.backends.postgresql",
    conn_max_age: int | None = 0,
    conn_health_checks: bool = True,
    **options: Any,
) -> dict[str, Any]:
    """An entry of ``DATABASES``; it only describes, the first connection finds or creates.

    Args:
        alias: its name in ``DATABASES``.
        key: the variable that holds its URL; None: neonup's setting, ``DATABASE_URL``, and
            ``<ALIAS>_DATABASE_URL`` for another alias than ``default`` without a ``NAME``.
        env_file: the file that records it, relative to the project; None: neonup's setting.
        pooled: True: through the pooler, without server-side cursors and prepared statements;
            False: past it; None: past it in development, else as the URL says. Migrations and
            tests' databases go past it in any case.
        on_create: ``"migrate"`` runs the migrations once, when the database was created.
        engine: the backend underneath, one over psycopg, e.g. GeoDjango's; ``ENGINE`` is equal
            to it.
        conn_max_age: seconds that a connection is kept; 0 for a request's time, None for ever.
        conn_health_checks: whether a kept connection is tried before it is used again.
        options: what else the entry should have: ``OPTIONS``, ``TEST``, ``ATOMIC_REQUESTS``, and
            ``NAME`` for another database on the server of ``key``.

    Raises:
        TypeError: an option is not one that such an entry has.
        ValueError: ``on_create`` is neither None nor ``"migrate"``.
    """
    _check(on_create, options)
    described = {
        "alias": alias,
        "key": _key(alias) if key is None and "NAME" not in options else key,
        "env_file": None if env_file is None else os.fspath(env_file),
        "pooled": pooled,
        "on_create": on_create,
        "engine": engine,
    }
    entry = {
        "ENGINE": BackendName(engine),
        **dict.fromkeys(LATER, ""),
        "CONN_MAX_AGE": conn_max_age,
        "CONN_HEALTH_CHECKS": conn_health_checks,
        "OPTIONS": {},
        **({"DISABLE_SERVER_SIDE_CURSORS": True} if pooled else {}),
        **options,
        "NEON": described,
    }
    return Entry(entry)


def _key(alias: str) -> str | None:
    return None if alias == "default" else f"{alias.upper()}_DATABASE_URL"


def _check(on_create: str | None, options: dict[str, Any]) -> None:
    if on_create not in (None, "migrate"):
        raise ValueError(f'on_create={on_create!r}: the only other value is "migrate"')
    for name in options:
        if not name.isupper() or name in _FILLED_LATER:
            raise TypeError(f"database() takes the keys of an entry of DATABASES, not {name!r}")
