"""The tools for the database itself: which one it is, its URL, its claim link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

from neonup import USER, Database, ProviderError, drivers, urls
from neonup.plugin.project import claim_offer, describe, find_database, recorded_databases
from neonup_mcp.project import Branch, ServedProject
from neonup_mcp.result import ToolResult, add_tool


class DatabaseInfo(ToolResult):
    """Which database the project has. No password, no claim link."""

    description: str = Field(description="The database in a few words.")
    provider: str = Field(description="What created it; user: the project's own.")
    url: str = Field(description="The connection URL with *** for the password.")
    key: str = Field(description="The variable that holds the URL.")
    source: str = Field(description="Where the URL was found or written.")
    created: bool = Field(description="Whether this call created it.")
    expires_at: datetime | None = Field(description="When it is deleted unless claimed.")
    note: str | None = Field(description="What else is to be known, e.g. that it was claimed.")

    @classmethod
    def of(cls, database: Database) -> DatabaseInfo:
        """What may be shown of a database."""
        return cls(
            description=describe(database),
            provider=database.provider,
            url=urls.mask(database.url),
            key=database.key,
            source=database.source,
            created=database.created,
            expires_at=database.expires_at,
            note=database.note,
        )

    def text(self) -> str:
        """A few lines."""
        lines = [
            f"{'created' if self.created else 'found'}: {self.description}",
            f"{self.key} is in {self.source}",
            f"url: {self.url}",
            f"expires at: {self.expires_at:%Y-%m-%d %H:%M UTC}" if self.expires_at else None,
            self.note,
        ]
        return "\n".join(filter(None, lines))


class ListedDatabase(BaseModel):
    """A database that the project's files record."""

    key: str = Field(description="The variable that holds its URL.")
    description: str
    provider: str
    source: str = Field(description="The file, or environment.")
    state: str = Field(
        description="ready, stopped, missing, expired, claiming, revoked or claimed; unknown."
    )
    served: bool = Field(description="Whether it is the one that this server's tools use.")


class DatabaseList(ToolResult):
    """The databases of the project."""

    databases: list[ListedDatabase]

    def text(self) -> str:
        """A line for each."""
        lines = [
            f"{database.key}: {database.description}, {database.state} (from {database.source})"
            f"{', used by these tools' if database.served else ''}"
            for database in self.databases
        ]
        return "\n".join(lines) or "The project has no database."


class ConnectionUrl(ToolResult):
    """A connection URL with its password."""

    url: str = Field(description="A secret.")

    def text(self) -> str:
        """The URL."""
        return self.url


class ClaimLink(ToolResult):
    """How a person takes the database into an account."""

    claim_url: str = Field(description="The page to open. A secret.")
    code: str | None = Field(description="What the page asks for, if it does. A secret.")
    expires_at: datetime | None = Field(description="When the offer ends.")
    effect: str = Field(description="What a claim does to the URL; tell the user before.")

    def text(self) -> str:
        """The link, the code, and what a claim does."""
        code = None if self.code is None else f"code: {self.code}"
        return "\n".join(filter(None, [self.claim_url, code, self.effect]))


@dataclass(frozen=True)
class DatabaseTools:
    """Tools over one project's database."""

    project: ServedProject

    def register(self, server: MCPServer[Any]) -> None:
        """Add the tools."""
        add_tool(
            server, self.get_database, title="Get the database", idempotent=True, open_world=True
        )
        add_tool(server, self.list_databases, title="List databases", read_only=True)
        add_tool(
            server, self.get_connection_url, title="Get the URL with its password", read_only=True
        )
        add_tool(
            server,
            self.get_claim_link,
            title="Get the claim link",
            idempotent=True,
            open_world=True,
        )

    def get_database(
        self,
        create: Annotated[
            bool,
            Field(description="Create a database if the project has none, or its own is lost."),
        ] = False,
    ) -> DatabaseInfo:
        """Find this project's database and wake it; with create, make one if there is none.

        A new one is recorded in the project's .env, migrated and seeded as the project's settings
        say. The result has no password: the application reads the URL from the environment or .env.
        """
        if create:
            return DatabaseInfo.of(self.project.start(create=True).run())
        return DatabaseInfo.of(self.project.existing())

    def list_databases(self) -> DatabaseList:
        """List the databases that this project's environment and .env files record, by variable."""
        settings = self.project.settings
        served = find_database(settings)
        databases = {database.key: database for database in recorded_databases(settings)}
        if served is not None:
            databases[served.key] = served
        return DatabaseList(
            databases=[
                ListedDatabase(
                    key=key,
                    description=describe(database),
                    provider=database.provider,
                    source=database.source,
                    state=self._state(database),
                    served=key == settings.key,
                )
                for key, database in sorted(databases.items())
            ]
        )

    def _state(self, database: Database) -> str:
        if database.provider == USER:
            return "claimed" if database.before_claim else "unknown"
        try:
            return self.project.start().provider(database).check(database)
        except ProviderError:  # its plugin is not installed
            return "unknown"

    def get_connection_url(
        self,
        form: Annotated[
            Literal["direct", "pooled"],
            Field(
                description="direct for migrations, dumps and LISTEN; pooled where there is one."
            ),
        ] = "direct",
        driver: Annotated[
            str,
            Field(
                description="The form that a driver takes.",
                json_schema_extra={"enum": sorted(drivers.DRIVERS)},
            ),
        ] = "libpq",
        branch: Branch = None,
    ) -> ConnectionUrl:
        """Return the connection URL WITH ITS PASSWORD, of the database or a branch.

        A secret: do not show, log or commit it. The application needs no such call: it reads the
        URL from the environment or .env.
        """
        url = self.project.url(branch, pooled=form == "pooled")
        return ConnectionUrl(url=drivers.for_driver(url, driver))

    def get_claim_link(self) -> ClaimLink:
        """Return the link with which a person takes a temporary database into their Neon account.

        A SECRET: whoever opens it can take the database. Give it to the user and to nobody else. A
        local database has none.
        """
        offer = claim_offer(self.project.start(), self.project.recorded())
        return ClaimLink(
            claim_url=offer.url,
            code=offer.code,
            expires_at=offer.expires_at,
            effect=offer.effect,
        )
