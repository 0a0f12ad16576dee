"""What a variable's name says: which part of a database's address it holds, and of which one."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROLES = {
    "host": ("HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS"),
    "port": ("PORT",),
    "user": ("USER", "USERNAME", "LOGIN", "USR"),
    "password": ("PASSWORD", "PASS", "PASSWD", "PWD", "PASSWRD"),
    "database": ("DB", "NAME", "DATABASE"),
    "sslmode": ("SSLMODE",),
    "engine": ("ENGINE",),
    "url": ("URL", "URI", "DSN", "CONNSTR"),
}
"""Last words of names, by what these variables hold."""

_ROLE = {word: role for role, words in ROLES.items() for word in words}
_SERVERS = (
    "SQLALCHEMY",
    "POSTGRESQL",
    "POSTGRES",
    "DATABASE",
    "PGSQL",
    "PSQL",
    "RDS",
    "SQL",
    "DB",
    "PG",
)
_OTHERS = frozenset(
    {
        "REDIS",
        "MYSQL",
        "MARIADB",
        "MONGO",
        "MONGODB",
        "RABBITMQ",
        "AMQP",
        "ELASTIC",
        "ELASTICSEARCH",
    }
    | {"CLICKHOUSE", "CELERY", "BROKER", "CACHE", "MSSQL", "SQLSERVER", "ORACLE", "SQLITE", "LDAP"}
    | {
        "SMTP",
        "EMAIL",
        "NEO4J",
        "INFLUX",
        "INFLUXDB",
        "DUCKDB",
        "SNOWFLAKE",
        "COUCHDB",
        "CASSANDRA",
    }
    | {"VECTORDB", "MILVUS", "QDRANT", "GEOIP", "DYNAMODB", "TIMESTREAM", "VALKEY", "MEMCACHED"}
)
_TESTS = frozenset({"TEST", "TESTS", "TESTING", "PYTEST"})
_NEUTRAL = frozenset({"DEFAULT", "MAIN", "PRIMARY", "MASTER", "WRITER", "APP", "APPLICATION"})
_NEUTRAL_FRONT = _NEUTRAL | {"DJANGO", "FLASK", "FASTAPI", "BACKEND", "API", "SERVER", "CONNECTION"}
_URL_WORDS = frozenset({"ASYNC", "SYNC", "DIRECT", "UNPOOLED", "POOLED", "CONNECTION", "STRING"})
_JOINED = re.compile(rf"({'|'.join(_SERVERS)})({'|'.join(sorted(_ROLE, key=len, reverse=True))})")


@dataclass(frozen=True)
class VariableName:
    """What a name says.

    Args:
        role: what the variable holds: one of `ROLES`.
        owner: words that say whose database it is, such as ``ANALYTICS``; blank: the project's own.
        words: what a URL's name says of its form: ``ASYNC``, ``DIRECT``, ...
    """

    role: str
    owner: str = ""
    words: frozenset[str] = frozenset()


def understand(name: str, *, is_url: bool = False) -> VariableName | None:
    """What a name says; None: it is no part of the address of a Postgres for development.

    Args:
        name: the variable's.
        is_url: whether its type or value says that it is a URL of Postgres.
    """
    words = _words(name)
    if not words or _OTHERS & {*words} or _TESTS & {*words}:
        return None
    role = _ROLE.get(words[-1])
    if words[-2:] == ["SSL", "MODE"]:
        role, words = "sslmode", [*words[:-2], "SSLMODE"]
    if is_url and role != "url":
        role, words = "url", [*words, "URL"]
    if words[-2:] == ["CONNECTION", "STRING"] or words[-2:] == ["CONN", "STR"]:
        role, words = "url", [*words[:-2], "URL"]
    elif role is None and words[-1] in _URL_WORDS and "URL" in words:
        role, words = "url", [*(word for word in words if word != "URL"), "URL"]
    if role is None:
        return None
    body = words[:-1]
    server = next((index for index, word in enumerate(body) if word in _SERVERS), None)
    if server is None:
        direct = role == "url" and {*body} <= _URL_WORDS and bool(body)  # DIRECT_URL
        return VariableName("url", "", frozenset(body)) if is_url or direct else None
    front = [word for word in body[:server] if word not in _NEUTRAL_FRONT | _URL_WORDS]
    between = [word for word in body[server + 1 :] if word not in {*_SERVERS, *_NEUTRAL}]
    if role == "url":
        between = [word for word in between if word not in _URL_WORDS]
    said = _URL_WORDS & {*body} if role == "url" else frozenset()
    return VariableName(role, "_".join([*front, *between]), frozenset(said))


def _words(name: str) -> list[str]:
    """A name's words in capitals: ``DB_HOST``, ``dbHost`` and ``PGHOST`` have two."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name) if not name.isupper() else name
    words: list[str] = []
    for word in filter(None, re.split(r"[_\W]+", apart.upper())):
        joined = _JOINED.fullmatch(word)
        words += joined.groups() if joined and word not in _ROLE else [word]
    return words


def is_for_tests(name: str) -> bool:
    """Whether a name says that tests use the variable."""
    return bool(_TESTS & {*_words(name)})


def is_url_of_postgres(value: str | None) -> bool:
    """Whether a value is a URL of Postgres, by its scheme."""
    return bool(value) and re.match(r"postgres(?:ql)?(?:\+\w+)?://.", value or "") is not None
