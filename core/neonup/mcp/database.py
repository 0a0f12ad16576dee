"""The tools for the database itself: which one it is, its URL, its claim link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from neonup.database import Database
from neonup.mcp.project import Project
from neonup.mcp.result import Result, add_tool
from neonup.postgres import urls
from neonup.start import announce


class DatabaseInfo(Result):
    """Which database the project has. No password, no claim link."""

    description: str = Field(description="The database in a few words.")
    provider: str = Field(description="What created it; user: the project's own.")
    url: str = Field(description="The connection URL with *** for the password.")
    key: str = Field(description="The variable that holds the URL.")
    source: str = Field(description="Where the URL was found or written.")
    created: bool = Field(description="Whether this call created it.")
    expires_at: str | None = Field(description="When it is deleted unless claimed; null: never.")
    note: str | None = Field(description="What else is to be known, e.g. that it was claimed.")

    @classmethod
    def of(cls, database: Database) -> DatabaseInfo:
        """What may be shown of a database."""
        return cls(
            description=announce.describe(database),
            provider=database.provider,
            url=urls.mask(database.url),
            key=database.key,
            source=database.source,
            created=database.created,
            expires_at=database.expires_at.isoformat() if database.expires_at else None,
            note=database.note,
        )

    def text(self) -> str:
        """A few lines."""
        lines = [
            f"{'created' if self.created else 'found'}: {self.description}",
            f"{self.key} is in {self.source}",
            f"url: {self.url}",
            f"expires at: {self.expires_at}" if self.expires_at else None,
            self.note,
        ]
        return "\n".join(filter(None, lines))


@dataclass(frozen=True)
class DatabaseTools:
    """Tools over one project's database."""

    project: Project

    def register(self, server: MCPServer[Any]) -> None:
        """Add the tools."""
        add_tool(
            server, self.get_database, title="Get the database", idempotent=True, open_world=True
        )

    def get_database(
        self,
        create: Annotated[
            bool, Field(description="Create a database if the project has none.")
        ] = False,
    ) -> DatabaseInfo:
        """Find this project's database and wake it; with create, make one if there is none.

        A new one is recorded in the project's .env, migrated and seeded as the project's settings
        say. The result has no password: the application reads the URL from the environment or .env.
        """
        if not create:
            self.project.recorded()
        return DatabaseInfo.of(self.project.start().run())
