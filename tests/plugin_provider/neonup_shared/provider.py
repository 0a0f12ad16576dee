"""The provider itself: CREATE DATABASE and DROP DATABASE on the server that the setting names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import neonup

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class SharedOptions(neonup.Options):
    """``[tool.neonup.shared]``.

    Args:
        url: the server's URL.
    """

    table = "shared"
    url: str | None = neonup.option()


class SharedProvider(neonup.Provider):
    """A database on the server of the option ``url``."""

    name = "shared"
    options = SharedOptions

    def unavailable(self) -> str | None:
        """Why it cannot be used: nobody said which server."""
        if self._server is None:
            return "the option url is not set: set NEONUP_SHARED_URL to the server's URL"
        return None

    def provision(self, spec: neonup.DatabaseSpec) -> neonup.Database:
        """Make the project's database, or take up the one that a killed start left."""
        seed = f"{spec.project}\n{spec.env_file}\n{spec.key}"
        name = "neonup_" + hashlib.sha256(seed.encode()).hexdigest()[:12]
        if not self._exists(name):
            self._run("CREATE DATABASE", name)
        return neonup.Database(self._url(name), self.name, id=name, key=spec.key, created=True)

    def inspect(self, database: neonup.Database) -> neonup.Inspection:
        """Ask the server whether it still has the database."""
        found = database.id is not None and self._exists(database.id)
        state = neonup.State.READY if found else neonup.State.MISSING
        return neonup.Inspection(state, database, {"server": neonup.urls.mask(self._server or "")})

    def delete(self, database: neonup.Database) -> None:
        """Drop the database, and whoever is still connected to it."""
        if database.id is None:
            raise neonup.ProviderError("It is not known which database that is.")
        self._run("DROP DATABASE IF EXISTS", database.id, " WITH (FORCE)")

    @property
    def _server(self) -> str | None:
        return SharedOptions.of(self.settings).url

    def _url(self, name: str) -> str:
        return urlsplit(self._server or "")._replace(path=f"/{name}").geturl()

    def _exists(self, name: str) -> bool:
        query = "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = %s"
        with self._connect() as connection:
            (count,) = connection.execute(query, [name]).fetchone() or (0,)
            return bool(count)

    def _run(self, statement: str, name: str, rest: str = "") -> None:
        from psycopg import sql  # here: a start that finds its database does not need it

        with self._connect() as connection:
            connection.execute(sql.SQL(f"{statement} {{}}{rest}").format(sql.Identifier(name)))

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        try:
            return psycopg.connect(self._server or "", autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise neonup.ProviderError(
                "The shared server does not answer.",
                checked=[neonup.urls.mask(self._server or ""), str(error).strip()],
                remedy="Check NEONUP_SHARED_URL.",
            ) from error
