"""What libpq adds to a URL: the variables that it reads, and its service files.

For each parameter libpq takes, in this order, what the URL says, what the named service says, its
variable, and a default of its own. So does each driver that is built on it; asyncpg reads some of
the same variables.

A database that neonup created is completely described by its URL. What is left over from another
project, or meant for another server, must not change where or how it is connected to: programs are
started `without` these variables, and drivers are given what is `stronger` than they are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager

from neonup.postgres import service_files, urls
from neonup.postgres.urls import PostgresUrl

_ALIKE = (
    *("host", "hostaddr", "port", "user", "password", "channel_binding", "client_encoding"),
    *("gssdelegation", "gssencmode", "gsslib", "krbsrvname", "load_balance_hosts"),
    *("max_protocol_version", "min_protocol_version", "options", "passfile", "require_auth"),
    *("requirepeer", "service", "ssl_max_protocol_version", "ssl_min_protocol_version"),
    *("sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslmode"),
    *("sslnegotiation", "sslrootcert", "sslsni", "target_session_attrs"),
)
"""The parameters whose variable is called as they are: ``PGHOST``."""

VARIABLES: Mapping[str, str] = {
    **{name: f"PG{name.replace('_', '').upper()}" for name in _ALIKE},
    "dbname": "PGDATABASE",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
"""The variable that libpq 18 and older ones read for a parameter.

https://www.postgresql.org/docs/18/libpq-envars.html, and what `PQconndefaults` lists
"""

SESSION = frozenset({"PGDATESTYLE", "PGTZ", "PGGEQO"})
"""The variables that a session begins with: its own settings, not where or how to connect."""

_NAME = "PGAPPNAME"  # whatever it is, it fits

CONNECTION = frozenset(
    {*VARIABLES.values(), service_files.FILE, service_files.SYSTEM_FOLDER, "PGREQUIRESSL"}
) - {_NAME}
"""The variables that change where or how libpq connects."""

_ACCOUNT = frozenset({"host", "user", "password", "dbname"})
"""What the URL of a database that neonup created says itself."""

_BESIDE_A_URL = CONNECTION - {VARIABLES[name] for name in (*_ACCOUNT, "port")}
"""The variables that change something where a URL says all that it can."""

_DEFAULTS = {
    "channel_binding": "prefer",
    "client_encoding": "UTF8",
    "connect_timeout": "0",
    "gssdelegation": "0",
    "gssencmode": "disable",
    "krbsrvname": "postgres",
    "load_balance_hosts": "disable",
    "max_protocol_version": "3.0",
    "min_protocol_version": "3.0",
    "port": "5432",
    "require_auth": "!sspi",  # anything else; an empty text would be a method of that name
    "ssl_min_protocol_version": "TLSv1.2",
    "sslcertmode": "allow",
    "sslcompression": "0",
    "sslnegotiation": "postgres",
    "sslsni": "1",
    "target_session_attrs": "any",
}
"""What libpq takes by default, where an empty text does not stand for it."""

_SINCE = {
    "gssdelegation": 16,
    "load_balance_hosts": 16,
    "max_protocol_version": 18,
    "min_protocol_version": 18,
    "require_auth": 16,
    "sslcertmode": 16,
    "sslnegotiation": 17,
}
"""The major version of libpq that was the first to know a parameter, where 15 did not."""

_hiding = threading.Lock()
_hidden: dict[str, list[str]] = {}  # the variables' values, once for each that hides them


def without(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which nothing changes where or how a program connects."""
    return {name: value for name, value in environ.items() if name not in CONNECTION}


def take_out(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Remove what changes where or how a complete URL is connected to.

    Host, port, role, password and database stay: such a URL has them all, and an application's
    settings may be made of these variables.

    Returns:
        What it was, for putting it back.
    """
    return {name: environ.pop(name) for name in _BESIDE_A_URL & environ.keys()}


def for_reading(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program whose output neonup reads: UTF-8, English, and not for ever."""
    rest = {name: value for name, value in environ.items() if name not in SESSION}
    manners = {"PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8", _NAME: "neonup"}
    return {"PGCONNECT_TIMEOUT": "30", **rest, **manners}


def stronger(
    place: PostgresUrl, environ: Mapping[str, str], version: int | None = None
) -> dict[str, str]:
    """Parameters with which variables that are set change nothing: libpq's defaults, in words.

    ``PGSERVICE`` can only be removed: see `service_hidden`.

    Args:
        place: the URL; what it says itself is left out.
        environ: the variables that the driver sees.
        version: the driver's libpq, as ``180006``; psycopg's or psycopg2's if None.
    """
    given = explicit(place)
    names = [
        name
        for name, variable in VARIABLES.items()
        if variable in CONNECTION & environ.keys() and name not in {*_ACCOUNT, "service", *given}
    ]
    if "PGREQUIRESSL" in environ and "sslmode" not in {*names, *given}:
        names.append("sslmode")
    if not names:
        return {}
    major = (_version() if version is None else version) // 10000
    values = {**_DEFAULTS, "sslmode": place.sslmode}
    return {name: values.get(name, "") for name in names if _SINCE.get(name, 0) <= major}


def _version() -> int:
    """The version of the libpq that this process's driver uses; 0: there is none."""
    try:
        from psycopg import pq
    except ImportError:
        try:
            from psycopg2 import extensions  # type: ignore[import-untyped]
        except ImportError:
            return 0
        return int(extensions.libpq_version())
    return pq.version()


def met(url: str, environ: Mapping[str, str]) -> list[str]:
    """The variables that an application meets which connects by a URL as it is, by name."""
    place = urls.parse(url)
    given = {VARIABLES[name] for name in explicit(place) if name in VARIABLES}
    if environ.get("PGSSLMODE") == place.sslmode:  # as `neonup run` sets it
        given.add("PGSSLMODE")
    return sorted((CONNECTION & environ.keys()) - given)


def hardened(url: str, own: bool = True) -> str:
    """The URL for a driver in this process, with what is `stronger` than libpq's variables.

    Args:
        url: a Postgres URL.
        own: whether neonup created the database; any other URL stays as it is.
    """
    place = urls.parse(url) if own else None
    more = stronger(place, os.environ) if place else {}
    if place is None or not more:
        return url
    return str(place.with_parameters({**place.parameters, **more}))


def service_hidden(hide: bool = True) -> AbstractContextManager[None]:
    """Have libpq connect without ``PGSERVICE``, which no parameter outweighs.

    It is missing for the whole process meanwhile; any number of threads and coroutines may do so.

    Args:
        hide: whether to do so at all.
    """
    return _without_variables({VARIABLES["service"]} if hide else ())


def variables_hidden(hide: bool = True) -> AbstractContextManager[None]:
    """As `service_hidden`, with all variables that change how a complete URL is connected to.

    For asyncpg, which reads some of them and takes no empty value in place of one.

    Args:
        hide: whether to do so at all.
    """
    return _without_variables(_BESIDE_A_URL if hide else ())


@contextmanager
def _without_variables(names: Collection[str]) -> Iterator[None]:
    hidden: dict[str, str] = {}
    with _hiding:
        for name in names:
            others = _hidden.get(name, [])
            value = os.environ.pop(name, others[0] if others else None)
            if value is not None:
                hidden[name] = value
                _hidden[name] = [*others, value]
    try:
        yield
    finally:
        with _hiding:
            for name, value in hidden.items():
                _hidden[name].pop()
                if not _hidden[name]:
                    os.environ[name] = value


def parameters(place: PostgresUrl, environ: Mapping[str, str]) -> dict[str, str]:
    """The parameters with which libpq connects, by its names, without its own defaults.

    Args:
        place: the URL.
        environ: the variables that libpq sees.

    Raises:
        SettingsError: the service that is named cannot be looked up.
    """
    values = {
        name: environ[variable] for name, variable in VARIABLES.items() if variable in environ
    }
    given = explicit(place)
    service = given.pop("service", values.pop("service", None))
    return {
        **values,
        **(service_files.parameters(service, environ) if service is not None else {}),
        **given,
    }


def explicit(place: PostgresUrl) -> dict[str, str]:
    """What the URL itself says, by libpq's names of the parameters."""
    given = dict(place.parameters)
    hosts = [host for host, _ in place.hosts]
    ports = [port for _, port in place.hosts]
    if any(hosts):
        given["host"] = ",".join(hosts)
    if any(ports) or len(ports) > 1:
        given["port"] = ",".join(str(port or "") for port in ports)
    for name in ("user", "password", "dbname"):
        value = getattr(place, name)
        if value is not None:
            given[name] = value
    return given
