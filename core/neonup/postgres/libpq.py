"""What libpq adds to a URL: the variables that it reads, and its service files.

For each parameter libpq takes, in this order, what the URL says, what the named service says, its
variable, and a default of its own. So does each driver that is built on it; asyncpg reads some of
the same variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from neonup.errors import SettingsError
from neonup.postgres.urls import PostgresUrl

VARIABLES: Mapping[str, str] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "client_encoding": "PGCLIENTENCODING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssdelegation": "PGGSSDELEGATION",
    "gssencmode": "PGGSSENCMODE",
    "gsslib": "PGGSSLIB",
    "krbsrvname": "PGKRBSRVNAME",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "max_protocol_version": "PGMAXPROTOCOLVERSION",
    "min_protocol_version": "PGMINPROTOCOLVERSION",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "service": "PGSERVICE",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcertmode": "PGSSLCERTMODE",
    "sslcompression": "PGSSLCOMPRESSION",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "sslsni": "PGSSLSNI",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""The variable that libpq 18 and older ones read for a parameter.

https://www.postgresql.org/docs/18/libpq-envars.html, and what `PQconndefaults` lists
"""

_SERVICE_FILE = "PGSERVICEFILE"
_SYSTEM_FOLDER = "PGSYSCONFDIR"


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
    return {**values, **(_of_service(service, environ) if service is not None else {}), **given}


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


def _of_service(service: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a service.

    https://www.postgresql.org/docs/18/libpq-pgservice.html

    Raises:
        SettingsError: no file that is known has it, or it cannot be read.
    """
    looked: list[str] = []
    for path in _service_files(environ):
        looked.append(str(path))
        try:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
        found = _section(text, service)
        if found is not None:
            return found
    raise SettingsError(
        f"The database URL cannot be used: the service {service!r} that it or PGSERVICE names is "
        "not known.",
        checked=looked,
        remedy="Name the host in the URL instead.",
    )


def _service_files(environ: Mapping[str, str]) -> Iterator[Path]:
    if chosen := environ.get(_SERVICE_FILE):
        yield Path(chosen)
    else:
        yield Path(environ.get("HOME") or Path.home()) / ".pg_service.conf"
    if folder := environ.get(_SYSTEM_FOLDER):
        yield Path(folder) / "pg_service.conf"


def _section(text: str, service: str) -> dict[str, str] | None:
    """The first section of that name; within it the first value of a name counts, as in libpq."""
    found: dict[str, str] | None = None
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            if found is not None:
                return found
            if line.startswith(f"[{service}]"):
                found = {}
        elif found is not None:
            name, equals, value = line.partition("=")
            if not equals or name == "service":  # LDAP, or what libpq refuses
                return None
            found.setdefault(name, value)
    return found
