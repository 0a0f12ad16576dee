"""The form of a connection URL that each driver takes, one table of them: `DRIVERS`.

``.env`` holds libpq's form. asyncpg knows some of libpq's parameters and sends the others to the
server as settings, which refuses them; SQLAlchemy passes what is in a URL to its driver as
keyword arguments, always as text. Behind a pooler in transaction mode no statement may be
prepared by name and no cursor may outlive its transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from pprint import pformat
from typing import Any

from neonup.errors import SettingsError
from neonup.postgres import urls
from neonup.postgres.urls import PostgresUrl

FOREIGN = frozenset(
    {
        *("async_fallback", "connection_limit", "pgbouncer", "plugin", "pool_timeout"),
        *("prepared_statement_cache_size", "schema", "statement_cache_size"),
    }
)
"""Query parameters of SQLAlchemy, asyncpg and Prisma, which libpq refuses."""

LIBPQ_ONLY = frozenset(
    {
        *("channel_binding", "client_encoding", "connect_timeout", "fallback_application_name"),
        *("gssdelegation", "gssencmode", "hostaddr", "keepalives", "keepalives_count"),
        *("keepalives_idle", "keepalives_interval", "load_balance_hosts"),
        *("max_protocol_version", "min_protocol_version", "require_auth", "requirepeer"),
        *("requiressl", "sslcertmode", "sslcompression", "sslcrldir", "sslkeylogfile"),
        *("sslnegotiation", "sslsni", "tcp_user_timeout"),
    }
)
"""libpq's parameters that asyncpg does not know.

https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""


def libpq(url: str) -> str:
    """The URL for libpq and what is built on it: psycopg, psycopg2, psql, pg_dump."""
    return str(_native(url))


def psycopg_arguments(url: str, *, pooled: bool | None = None) -> dict[str, Any]:
    """Arguments of ``psycopg.connect``; behind a pooler it never prepares statements.

    Args:
        url: a Postgres URL in any form.
        pooled: whether it leads to a pooler; None: as its host says.
    """
    arguments: dict[str, Any] = {"conninfo": libpq(url)}
    if urls.is_pooled(url) if pooled is None else pooled:
        arguments["prepare_threshold"] = None
    return arguments


def asyncpg(url: str) -> str:
    """The DSN for ``asyncpg.connect`` and ``create_pool``, without parameters it cannot take.

    ``channel_binding`` is one of these: asyncpg has none. Behind a pooler
    `asyncpg_arguments` adds ``statement_cache_size=0``, which no DSN can hold.
    """
    return str(_for_asyncpg(url))


def asyncpg_arguments(url: str, *, pooled: bool | None = None) -> dict[str, Any]:
    """Arguments of ``asyncpg.connect`` and ``create_pool``; as `psycopg_arguments`."""
    arguments: dict[str, Any] = {"dsn": asyncpg(url)}
    if timeout := urls.parse(url).parameters.get("connect_timeout"):
        arguments["timeout"] = float(timeout)  # seconds, as libpq's
    if urls.is_pooled(url) if pooled is None else pooled:
        arguments["statement_cache_size"] = 0
    return arguments


def sqlalchemy_url(url: str, *, driver: str = "psycopg") -> str:
    """A URL for SQLAlchemy's ``create_engine`` or ``create_async_engine``, with nothing else.

    Args:
        url: a Postgres URL in any form.
        driver: ``psycopg`` (which serves both kinds of engine), ``psycopg2`` or ``asyncpg``.

    Raises:
        SettingsError: the URL or the driver is unknown.
    """
    if driver == "asyncpg":
        return _sqlalchemy_asyncpg(url)
    if driver not in {"psycopg", "psycopg2"}:
        raise SettingsError(
            f"There is no SQLAlchemy URL form for the driver {driver!r}.",
            remedy="Known drivers are psycopg, psycopg2 and asyncpg.",
        )
    return _sqlalchemy(_native(url), driver, dbname="dbname")


def in_scheme(url: str, scheme: str) -> str:
    """A URL that begins otherwise: ``postgres``, or a form of SQLAlchemy's for a driver.

    Raises:
        SettingsError: it is no URL of a Postgres database.
    """
    if url.startswith(f"{scheme}://"):
        return url
    base, _, driver = scheme.partition("+")
    if driver not in {"asyncpg", "psycopg", "psycopg2"}:
        return urls.parse(url).render(scheme)
    return base + sqlalchemy_url(url, driver=driver).removeprefix("postgresql")


def engine_arguments(
    url: str, *, driver: str = "psycopg", pooled: bool | None = None
) -> dict[str, Any]:
    """Arguments of ``create_engine`` (``create_async_engine``): the URL and what it cannot hold.

    Connections are tried before they are used, since a suspended compute drops idle ones; behind
    a pooler nothing is prepared by a name that another client may have taken. The parameters are
    those of `sqlalchemy_url` and `psycopg_arguments`.
    """
    arguments: dict[str, Any] = {"url": sqlalchemy_url(url, driver=driver), "pool_pre_ping": True}
    pooled = urls.is_pooled(url) if pooled is None else pooled
    if pooled and driver == "psycopg":
        arguments["connect_args"] = {"prepare_threshold": None}
    elif pooled and driver == "asyncpg":
        arguments["connect_args"] = {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": _unique_statement_name,
        }
    return arguments


def django(
    url: str,
    *,
    engine: str = "django.db.backends.postgresql",
    conn_max_age: int | None = 0,
    pooled: bool | None = None,
) -> dict[str, Any]:
    """An entry of Django's ``DATABASES``; ``url`` and ``pooled`` as `psycopg_arguments` has them.

    Args:
        engine: the backend.
        conn_max_age: seconds that a connection is kept; 0 for a request's time, None for ever.
    """
    parts = _native(url)
    entry: dict[str, Any] = {
        "ENGINE": engine,
        "NAME": parts.dbname or parts.user or "",
        "USER": parts.user or "",
        "PASSWORD": parts.password or "",
        "HOST": ",".join(host for host, _ in parts.hosts),
        "PORT": "",
        "CONN_MAX_AGE": conn_max_age,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parts.parameters),
    }
    if any(port for _, port in parts.hosts):
        entry["PORT"] = ",".join(str(port or 5432) for _, port in parts.hosts)
    if parts.pooled if pooled is None else pooled:
        entry["DISABLE_SERVER_SIDE_CURSORS"] = True
    return entry


DRIVERS: Mapping[str, Callable[[str], str]] = {
    "libpq": libpq,
    "psycopg": libpq,
    "asyncpg": asyncpg,
    "sqlalchemy-psycopg": sqlalchemy_url,
    "sqlalchemy-asyncpg": lambda url: sqlalchemy_url(url, driver="asyncpg"),
    "django": lambda url: pformat(django(url), sort_dicts=False),
}
"""The form to print and to paste, by the drivers' names that ``neonup url --driver`` takes."""


def for_driver(url: str, driver: str) -> str:
    """The URL in the form of one of `DRIVERS`.

    Raises:
        SettingsError: the URL or the driver is unknown.
    """
    if driver not in DRIVERS:
        raise SettingsError(
            f"There is no driver {driver!r}.", remedy=f"The drivers are {', '.join(DRIVERS)}."
        )
    return DRIVERS[driver](url)


def system_roots() -> Path:
    """The file of root certificates that this machine trusts: for ``sslrootcert=system``.

    libpq before 16 and asyncpg take a file alone.

    Raises:
        SettingsError: there is none.
    """
    import ssl

    places = [
        ssl.get_default_verify_paths().cafile,
        "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
        "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
        "/etc/ssl/ca-bundle.pem",  # openSUSE
        "/etc/ssl/cert.pem",  # macOS
    ]
    for place in filter(None, places):
        if Path(place).is_file():
            return Path(place)
    raise SettingsError(
        "sslrootcert=system cannot be followed: this machine has no file of root certificates.",
        checked=[place for place in places if place],
        remedy="Install ca-certificates, or set SSL_CERT_FILE.",
    )


def _native(url: str) -> PostgresUrl:
    parts = urls.parse(url)
    return parts.with_parameters(
        {name: value for name, value in parts.parameters.items() if name not in FOREIGN}
    )


def _for_asyncpg(url: str) -> PostgresUrl:
    parts = _native(url)
    parameters = {
        name: value  # a DSN of asyncpg's can hold no empty one
        for name, value in parts.parameters.items()
        if value and name not in LIBPQ_ONLY
    }
    if parameters.get("sslrootcert") == "system":
        parameters["sslrootcert"] = str(system_roots())
        parameters["sslmode"] = parts.sslmode
    return parts.with_parameters(parameters)


def _sqlalchemy(parts: PostgresUrl, driver: str, *, dbname: str) -> str:
    # SQLAlchemy 2.0 takes the path as it is, 2.1 decodes it; a query is decoded by both.
    if parts.dbname and not re.fullmatch(r"[\w.~-]+", parts.dbname, re.ASCII):
        parts = parts.with_(dbname=None, parameters={**parts.parameters, dbname: parts.dbname})
    return parts.render(f"postgresql+{driver}")


def _sqlalchemy_asyncpg(url: str) -> str:
    """SQLAlchemy hands a query's items to asyncpg.connect, which has few by the DSN's names.

    So they go as a DSN within the query, which leaves place and password to the URL itself, where
    SQLAlchemy masks it when it prints.
    """
    parts = _for_asyncpg(url)
    parameters = dict(parts.parameters)
    query: dict[str, str] = {}
    if parameters.keys() == {"sslmode"}:
        query["ssl"] = parameters["sslmode"]
    elif parameters:
        query["dsn"] = str(PostgresUrl(parameters=parameters))
    if parts.pooled:
        query["prepared_statement_cache_size"] = "0"
    return _sqlalchemy(parts.with_parameters(query), "asyncpg", dbname="database")


def _unique_statement_name() -> str:
    import uuid

    return f"__asyncpg_{uuid.uuid4()}__"
