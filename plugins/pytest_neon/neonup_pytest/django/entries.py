"""The entries of ``DATABASES``: which are Postgres's, which are one database, where they lead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeAlias

import neonup
from neonup import NeonupError

Entry: TypeAlias = dict[str, Any]

_ELSEWHERE = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service"),
        *("sslmode", "sslnegotiation", "sslrootcert", "sslcert", "sslkey", "sslpassword"),
        *("sslcrl", "sslcrldir", "sslsni", "ssl_min_protocol_version", "requiressl"),
        *("channel_binding", "gssencmode", "krbsrvname", "require_auth"),
        *("target_session_attrs", "load_balance_hosts", "assume_role"),
    }
)
"""What ``OPTIONS`` say of the application's own server, and of its roles.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
https://docs.djangoproject.com/en/stable/ref/databases/#postgresql-notes
"""


def postgres() -> dict[str, Entry]:
    """The entries whose backend speaks to Postgres; what a complete one has is filled in."""
    from django.db import connections
    from django.db.utils import load_backend

    # Not `connections.settings`: a fixture may have replaced an entry since that was read.
    configured: Mapping[str, Entry] = connections.configure_settings(None)
    return {
        alias: entry
        for alias, entry in configured.items()
        if getattr(load_backend(entry["ENGINE"]).DatabaseWrapper, "vendor", "") == "postgresql"
    }


def leads_to(entry: Entry, database: str, url: str, key: str) -> bool:
    """Whether an entry leads to the run's URL.

    Args:
        entry: the entry.
        database: the name in the URL, which no other database has.
        url: the URL.
        key: the variable that django_neon's entries read where they name none.
    """
    described = entry.get("NEON")
    if described is not None and not entry["NAME"]:
        return os.environ.get(described.get("key") or key) == url
    return bool(entry["NAME"] == database)


def identity(entry: Entry, alias: str, *, ours: bool, shared: bool) -> tuple[object, ...]:
    """Equal for entries that lead to one test database, as Django itself tells it.

    Args:
        entry: the entry.
        alias: its alias.
        ours: whether it leads to the run's URL.
        shared: whether all that lead there did so to one database before.
    """
    test = entry["TEST"]["NAME"]
    described = entry.get("NEON")
    if ours:
        where: tuple[object, ...] = ("url", None if shared else alias)
    elif described is not None and not entry["NAME"]:
        where = ("neon", described.get("key") or alias)
    else:
        where = (entry["HOST"], str(entry["PORT"]), test or entry["NAME"])
    return (entry["ENGINE"], test, *where)


def redirect(entry: Entry, url: str) -> None:
    """Let an entry lead to a URL, with what else it says; changed in place."""
    place = neonup.drivers.django(url)
    own = {name: value for name, value in entry["OPTIONS"].items() if name not in _ELSEWHERE}
    if str(own.get("options", "")).startswith("endpoint="):  # Neon's own
        del own["options"]
    entry.update({name: place[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})
    entry["OPTIONS"] = {**own, **place["OPTIONS"]}
    if "NEON" in entry:
        entry["NEON"] = {**entry["NEON"], "given": True}


def base(entry: Entry) -> str:
    """The database that a test database shall be a copy of; empty: Postgres's own template.

    Raises:
        NeonupError: it shall have another encoding.
    """
    charset = entry["TEST"]["CHARSET"]
    if charset and str(charset).upper().replace("-", "") not in ("UTF8", "UNICODE"):
        raise NeonupError(
            f"TEST CHARSET is {charset}, but test databases are always UTF8.",
            remedy="Remove it from DATABASES.",
        )
    return str(entry["TEST"].get("TEMPLATE") or "")
