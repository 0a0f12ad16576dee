"""The tool that describes what is in the database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

from neonup_mcp import catalog
from neonup_mcp.project import Branch, ServedProject
from neonup_mcp.result import ToolResult, add_tool
from neonup_mcp.session import Runner

_MOST = 40
"""Tables described by one call."""

_NAMED = 500
"""Further tables that are named."""

_WIDEST = 200
"""Columns described of one table; constraints and indexes likewise."""


class ColumnInfo(BaseModel):
    """A column of a table."""

    name: str
    type: str
    nullable: bool
    default: str | None = Field(description="An expression, 'identity', or 'generated: ...'.")
    comment: str | None


class TableInfo(BaseModel):
    """A table, view or foreign table."""

    schema_name: str
    name: str
    kind: str
    estimated_rows: int | None = Field(description="As of the last ANALYZE; null: never analyzed.")
    size_bytes: int | None = Field(description="With indexes and partitions.")
    comment: str | None
    columns: list[ColumnInfo]
    constraints: list[str] = Field(description="Keys and checks, by name.")
    indexes: list[str] = Field(description="Indexes that belong to no constraint.")

    def lines(self) -> list[str]:
        """The table, an indented line for each thing in it."""
        size = None if self.size_bytes is None else f"{self.size_bytes} bytes"
        rows = None if self.estimated_rows is None else f"about {self.estimated_rows} rows"
        facts = ", ".join(filter(None, [rows, size]))
        head = f"{self.kind} {self.schema_name}.{self.name}" + (f" ({facts})" if facts else "")
        return [
            head + _comment(self.comment),
            *(
                f"  {column.name} {column.type}"
                f"{'' if column.nullable else ' NOT NULL'}"
                f"{'' if column.default is None else f' DEFAULT {column.default}'}"
                f"{_comment(column.comment)}"
                for column in self.columns
            ),
            *(f"  constraint {text}" for text in self.constraints),
            *(f"  index {text}" for text in self.indexes),
        ]


class SchemaDescription(ToolResult):
    """What is in a database."""

    version: str = Field(description="Postgres's version.")
    size_bytes: int = Field(description="Of the whole database.")
    extensions: list[str]
    enums: dict[str, list[str]] = Field(description="The labels of each enum type.")
    tables: list[TableInfo]
    others: list[str] = Field(description="Tables that are not described here; ask for them.")

    @classmethod
    def of(cls, description: catalog.Row, characters: int) -> SchemaDescription:
        """What the catalog says; tables beyond so many characters are only named."""
        tables: list[TableInfo] = []
        others: list[str] = []
        for row in description["tables"]:
            for part in ("columns", "constraints", "indexes"):
                row[part] = row[part][:_WIDEST]
            table = TableInfo(schema_name=row.pop("schema"), **row)
            characters -= sum(map(len, table.lines()))
            if characters < 0 and tables:
                others.append(f"{table.schema_name}.{table.name}")
            else:
                tables.append(table)
        others += description["others"]
        return cls(**{**description, "tables": tables, "others": others[:_NAMED]})

    def text(self) -> str:
        """A few lines for each table."""
        lines = [f"Postgres {self.version}, {self.size_bytes} bytes"]
        lines.append(f"extensions: {', '.join(self.extensions)}")
        lines += [f"enum {name}: {', '.join(labels)}" for name, labels in self.enums.items()]
        for table in self.tables:
            lines += ["", *table.lines()]
        if not self.tables:
            lines.append("There are no tables.")
        if self.others:
            lines += ["", f"not described here: {', '.join(self.others)}"]
        return "\n".join(lines)


@dataclass(frozen=True)
class SchemaTools:
    """Tools over one project's database.

    Args:
        project: the project.
        runner: runs the statements.
    """

    project: ServedProject
    runner: Runner

    def register(self, server: MCPServer[Any]) -> None:
        """Add the tool."""
        add_tool(server, self.describe_schema, title="Describe the schema", read_only=True)

    async def describe_schema(
        self,
        tables: Annotated[
            list[str] | None,
            Field(description="Only these tables, each with or without its schema."),
        ] = None,
        schema: Annotated[str | None, Field(description="Only the tables of this schema.")] = None,
        branch: Branch = None,
    ) -> SchemaDescription:
        """Describe tables and views: columns, keys, checks, indexes, sizes; enums and extensions.

        Where there are more than 40, the others are only named: call it again with their names.
        """
        url = await self.project.reach(branch)
        limits = self.runner.limits
        work = partial(catalog.describe, schema=schema, tables=tables, most=_MOST)
        description = await self.runner.run(lambda: work(url, limits))
        return SchemaDescription.of(description, limits.characters)


def _comment(text: str | None) -> str:
    return "" if text is None else f" -- {' '.join(text.split())}"
