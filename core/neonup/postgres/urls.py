"""Connection URLs: parsed, masked, and in their pooled and direct forms.

The forms that each driver takes are in `neonup.postgres.drivers`. This module is imported at every
start, so urllib.parse, which takes some milliseconds, is loaded by the functions that need it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from neonup.errors import SettingsError
from neonup.values import Value

_POOLER = "-pooler"
_SCHEMES = frozenset({"postgres", "postgresql"})

# Compiled when they are needed: most starts take no URL apart.
_URL = (
    r"(?P<scheme>[A-Za-z][\w+.-]*)://"
    r"(?:(?P<user>[^:@/]*)(?::(?P<password>[^/?]*|[^/]*))?@)?"
    r"(?P<hosts>[^/?]*)"
    r"(?:/(?P<dbname>[^?]*))?"
    r"(?:\?(?P<query>.*))?"
)
_HOST = r"(?:\[(?P<v6>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>\d*))?"
_ENCODE = "A password with any of / ? # @ : % needs these percent-encoded, e.g. %2F for a slash."
_MASKS = (
    # In a Postgres URL up to the last @: a password that is not encoded may hold / and @.
    (r"(?i:(postgres(?:ql)?(?:\+\w+)?://[^\s:/]*)):\S*@", r"\1:***@"),
    (r"(\w[\w+.-]*://[^\s:/@]*):(?!\*\*\*@)[^\s/]*@", r"\1:***@"),
    (r"(\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^&\s]+)", r"\1***"),
)


class PostgresUrl(Value):
    """A Postgres URL in its parts, none of them percent-encoded. ``repr`` shows no password.

    Args:
        hosts: host and port, in the order in which they are tried; a host may be a name, an
            address, or a folder with a Unix socket; a port of None is the default, 5432.
        user: the role; None: the driver's default.
        password: its password; None: the driver looks elsewhere, ``""`` is an empty one.
        dbname: the database; None: the driver's default, one named like the role.
        parameters: what stands in the query, by libpq's names.
    """

    hosts: tuple[tuple[str, int | None], ...] = ()
    user: str | None = None
    password: str | None = None
    dbname: str | None = None
    parameters: Mapping[str, str] = MappingProxyType({})

    def __repr__(self) -> str:
        return f"PostgresUrl({mask(str(self))!r})"

    def __str__(self) -> str:
        """The URL in libpq's form, with its password."""
        return self.render("postgresql")

    @property
    def pooled(self) -> bool:
        """Whether its first host is a Neon pooler's."""
        return bool(self.hosts) and _first_label(self.hosts[0][0]).endswith(_POOLER)

    @property
    def unix(self) -> bool:
        """Whether it goes through Unix sockets alone, where libpq ignores ``sslmode``."""
        return bool(self.hosts) and all(host.startswith(("/", "@")) for host, _ in self.hosts)

    @property
    def sslmode(self) -> str:
        """``sslmode`` as libpq takes it: ``prefer`` unless set; ``system`` roots verify all."""
        default = "verify-full" if self.parameters.get("sslrootcert") == "system" else "prefer"
        return self.parameters.get("sslmode", default)

    @property
    def wants_tls(self) -> bool:
        """Whether a connection without TLS is out of the question."""
        return not self.unix and self.sslmode in {"require", "verify-ca", "verify-full"}

    def with_parameters(self, parameters: Mapping[str, str]) -> PostgresUrl:
        """The same place with these query parameters and no other."""
        return self.with_(parameters=dict(parameters))

    def render(self, scheme: str) -> str:
        """The URL under another scheme; a socket folder and several hosts go into the query."""
        from urllib.parse import quote

        query = dict(self.parameters)
        address = ""
        if len(self.hosts) == 1 and not self.unix:
            address = _address(*self.hosts[0])
        elif self.hosts:
            ports = [port for _, port in self.hosts]
            query["host"] = ",".join(host for host, _ in self.hosts)
            if any(ports):
                query["port"] = ",".join(str(port or 5432) for port in ports)
        account = ""
        if self.user is not None or self.password is not None:
            password = "" if self.password is None else f":{quote(self.password, safe='')}"
            account = f"{quote(self.user or '', safe='')}{password}@"
        dbname = "" if self.dbname is None else f"/{quote(self.dbname, safe='')}"
        text = f"{scheme}://{account}{address}{dbname}"
        return text + ("?" + encode_query(query) if query else "")


def encode_query(parameters: Mapping[str, str]) -> str:
    """A query string that libpq, asyncpg and SQLAlchemy all read alike."""
    from urllib.parse import quote

    return "&".join(
        f"{quote(name, safe='')}={quote(value, safe='/:,')}" for name, value in parameters.items()
    )


def parse(url: str) -> PostgresUrl:
    """The parts of a Postgres URL, read as libpq does, SQLAlchemy's forms included.

    Query parameters that name the place (``host``, ``port``, ``user``, ``password``, ``dbname``)
    become parts; ``ssl=true`` and asyncpg's ``ssl=MODE`` become ``sslmode``.

    Raises:
        SettingsError: it is not a URL of a Postgres database. The message holds no part of it
            that could be a password.
    """
    match = re.fullmatch(_URL, url.strip())
    if match is None:
        raise SettingsError(
            "The database URL cannot be used: it is not a URL.",
            remedy="It has the form postgresql://user:password@host:5432/database",
        )
    scheme = match["scheme"].lower()
    if scheme.partition("+")[0] not in _SCHEMES:
        raise SettingsError(
            f"The database URL cannot be used: it starts with {scheme}://, not postgresql://.",
            remedy="neonup works with Postgres databases.",
        )
    if re.search("@.*/", match["dbname"] or ""):  # cut in two by a slash in a password
        raise SettingsError(
            "The database URL cannot be used: it is unclear where the password ends and the "
            "host begins.",
            remedy=_ENCODE,
        )
    query = _read_query(match["query"] or "")
    if (dsn := query.pop("dsn", None)) is not None:  # what `drivers` puts there for asyncpg
        query = {**parse(dsn).parameters, **query}
    ssl = query.pop("ssl", None)
    if ssl is not None:
        query.setdefault("sslmode", {"true": "require", "false": "disable"}.get(ssl, ssl))
    user, password, dbname = (_decoded(match[name]) for name in ("user", "password", "dbname"))
    return PostgresUrl(
        hosts=_read_hosts(match["hosts"], query.pop("host", None), query.pop("port", None)),
        user=query.pop("user", user) or None,
        password=query.pop("password", password),
        dbname=query.pop("dbname", query.pop("database", dbname)) or None,
        parameters=query,
    )


def mask(text: str) -> str:
    """``text`` with the password of every URL and connection string in it replaced by ``***``.

    Where a Postgres URL holds a stray ``@`` it hides too much rather than too little.
    """
    for pattern, replacement in _MASKS:
        text = re.sub(pattern, replacement, text)
    return text


def is_pooled(url: str) -> bool:
    """Whether the host is a Neon pooler's; False for what is no Postgres URL."""
    span = _host_span(url)
    return span is not None and _first_label(url[slice(*span)]).endswith(_POOLER)


def direct(url: str) -> str:
    """The URL past the pooler, otherwise unchanged; ``url`` itself where there is none."""
    span = _host_span(url) if _POOLER in url else None
    if span is None or not is_pooled(url):
        return url
    label = _first_label(url[slice(*span)])
    return url[: span[0]] + label.removesuffix(_POOLER) + url[span[0] + len(label) :]


def pooled(url: str) -> str:
    """The URL through Neon's pooler, otherwise unchanged.

    ``url`` itself where the host is not an endpoint's (``ep-....tld``), so has no pooler.
    """
    span = _host_span(url)
    if span is None or is_pooled(url):
        return url
    host = url[slice(*span)]
    label = _first_label(host)
    if not label.startswith("ep-") or label == host:
        return url
    return url[: span[0]] + label + _POOLER + url[span[0] + len(label) :]


def without_database(url: str) -> str:
    """The URL of a database's server, otherwise unchanged: ``postgresql://user@host:5432``."""
    match = re.fullmatch(_URL, url)
    if match is None or match["dbname"] is None:
        return url
    return url[: match.start("dbname") - 1] + url[match.end("dbname") :]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name: a socket folder, ``localhost``, 127.0.0.0/8."""
    if host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_span(url: str) -> tuple[int, int] | None:
    match = re.match(_URL, url)
    if match is None or match["scheme"].lower().partition("+")[0] not in _SCHEMES:
        return None
    start = match.start("hosts")
    return start, start + len(re.split(r"[:,]", match["hosts"])[0])


def _first_label(host: str) -> str:
    return host.partition(".")[0]


def _address(host: str, port: int | None) -> str:
    from urllib.parse import quote

    name = f"[{quote(host, safe=':')}]" if ":" in host else quote(host, safe="")
    return name if port is None else f"{name}:{port}"


def _decoded(text: str | None) -> str | None:
    from urllib.parse import unquote

    return None if text is None else unquote(text)


def _read_query(query: str) -> dict[str, str]:
    from urllib.parse import unquote

    # Not urllib's parse_qsl: for libpq a plus sign is a plus sign.
    parameters: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(
                "The database URL cannot be used: a query parameter has no value.", remedy=_ENCODE
            )
        if name == "host" and name in parameters:  # SQLAlchemy's form for several hosts
            value = f"{parameters[name]},{value}"
        parameters[unquote(name)] = unquote(value)
    return parameters


def _read_hosts(
    authority: str, host: str | None, port: str | None
) -> tuple[tuple[str, int | None], ...]:
    from urllib.parse import unquote

    hosts: list[str] = []
    ports: list[str] = []
    for item in authority.split(",") if authority else []:
        match = re.fullmatch(_HOST, item)
        if match is None:
            raise SettingsError(
                "The database URL cannot be used: it is unclear where the host ends and the port "
                "begins.",
                remedy=_ENCODE,
            )
        hosts.append(unquote(match["v6"] if match["v6"] is not None else match["name"]))
        ports.append(match["port"] or "")
    if host is not None:
        hosts = host.split(",")
    if port is not None:
        ports = port.split(",")
    if len(ports) <= 1:  # one port is every host's
        ports = (ports or [""]) * max(len(hosts), 1)
    if len(hosts) <= 1:
        hosts = (hosts or [""]) * len(ports)
    if len(hosts) != len(ports):
        raise SettingsError(
            f"The database URL cannot be used: {len(hosts)} hosts, but {len(ports)} ports."
        )
    if not any(hosts) and not any(ports):
        return ()
    return tuple((name, port_number(text)) for name, text in zip(hosts, ports, strict=True))


def port_number(text: str) -> int | None:
    """A port in its text; None where that is empty. Raises SettingsError for what is no port."""
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingsError(
            "The database URL cannot be used: its port is not a number from 1 to 65535.",
            remedy=_ENCODE,
        )
    return int(text)
