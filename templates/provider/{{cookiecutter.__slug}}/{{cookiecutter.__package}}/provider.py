"""The provider: CREATE DATABASE and DROP DATABASE on the server that a setting names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString
from urllib.parse import urlsplit

import neonup

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class Options(neonup.Options):
    """`[tool.neonup.{{ cookiecutter.__name }}]`; a misspelt option is refused.

    Args:
        url: the server's URL.
    """

    table = "{{ cookiecutter.__name }}"
    url: str = neonup.option(default="")


class {{ cookiecutter.__class }}(neonup.Provider):
    """A database on the server of the option `url`."""

    name = "{{ cookiecutter.__name }}"
    options = Options

    def unavailable(self) -> str | None:
        """Why it cannot be used here; asks no network."""
        if self._server:
            return None
        return "nobody said on which server: set {{ cookiecutter.__variable }}"

    def provision(self, spec: neonup.DatabaseSpec) -> neonup.Database:
        """Make the project's database, or take up the one that a killed start left."""
        seed = f"{spec.project}\n{spec.env_file}\n{spec.key}"
        name = "neonup_" + hashlib.sha256(seed.encode()).hexdigest()[:12]
        if not self._exists(name):
            self._run("CREATE DATABASE {}", name)
        url = urlsplit(self._server)._replace(path=f"/{name}").geturl()
        return neonup.Database(url, self.name, id=name, key=spec.key, created=True)

    def inspect(self, database: neonup.Database) -> neonup.Inspection:
        """Whether the server still has it."""
        found = database.id is not None and self._exists(database.id)
        state = neonup.State.READY if found else neonup.State.MISSING
        return neonup.Inspection(state, database, {"server": neonup.urls.mask(self._server)})

    def delete(self, database: neonup.Database) -> None:
        """Drop it, whoever is connected to it."""
        if database.id is None:
            raise neonup.ProviderError("It is not known which database that is.")
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.id)

    @property
    def _server(self) -> str:
        return Options.of(self.settings).url

    def _exists(self, name: str) -> bool:
        with self._connect() as connection:
            query = "SELECT FROM pg_catalog.pg_database WHERE datname = %s"
            return connection.execute(query, [name]).fetchone() is not None

    def _run(self, statement: LiteralString, name: str) -> None:
        from psycopg import sql

        with self._connect() as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def _connect(self) -> psycopg.Connection:
        import psycopg  # here: a start that finds its database needs no driver

        try:
            return psycopg.connect(self._server, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise neonup.ProviderError(
                "The server does not answer.",
                checked=[neonup.urls.mask(self._server), str(error).strip()],
                remedy="Check {{ cookiecutter.__variable }}.",
            ) from error
