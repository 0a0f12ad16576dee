"""The tools that run SQL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

from neonup import SqlError, explain_failure
from neonup_mcp import statements, values
from neonup_mcp.project import Branch, ServedProject
from neonup_mcp.result import ToolResult, add_tool
from neonup_mcp.session import Runner
from neonup_mcp.statements import Rows

Statement = Annotated[str, Field(description="One SQL statement of Postgres.")]


class QueryColumn(BaseModel):
    """A column of a query's result."""

    name: str
    type: str


class QueryResult(ToolResult):
    """A statement's result."""

    status: str = Field(description="Postgres's command tag, e.g. INSERT 0 1.")
    columns: list[QueryColumn]
    rows: list[list[Any]] = Field(
        description="Values in the order of the columns. Decimals, dates and whole numbers beyond "
        "2^53 are strings; bytea is \\x and hex digits; NULL is null."
    )
    row_count: int = Field(description="How many rows are here.")
    truncated: bool = Field(description="Whether there are more rows than the limits allow.")

    @classmethod
    def of(cls, result: Rows) -> QueryResult:
        """What Postgres returned, typed."""
        columns = [QueryColumn(name=name, type=type_) for name, type_ in result.columns]
        rows = [list(row) for row in result.rows]
        return cls(
            status=result.status,
            columns=columns,
            rows=rows,
            row_count=len(rows),
            truncated=result.truncated,
        )

    def text(self) -> str:
        """A table, and how it ends."""
        if not self.columns:
            return self.status
        lines = [" | ".join(f"{column.name} ({column.type})" for column in self.columns)]
        lines += [" | ".join(map(values.as_text, row)) for row in self.rows]
        more = "; there are more rows: use WHERE, LIMIT or an aggregate" if self.truncated else ""
        return "\n".join([*lines, f"({self.status}{more})"])


class QueryPlan(ToolResult):
    """How Postgres would run, or has run, a statement."""

    plan: list[str] = Field(description="The lines of EXPLAIN.")
    analyzed: bool = Field(description="Whether the statement was run, so that its times are real.")

    def text(self) -> str:
        """The plan as psql prints it."""
        return "\n".join(self.plan)


@dataclass(frozen=True)
class SqlTools:
    """Tools over one project's database.

    Args:
        project: the project.
        runner: runs the statements.
        allow_writes: whether statements may write.
    """

    project: ServedProject
    runner: Runner
    allow_writes: bool

    def register(self, server: MCPServer[Any]) -> None:
        """Add the tools that are allowed."""
        add_tool(server, self.run_sql, title="Run a read-only query", read_only=True)
        add_tool(
            server, self.explain_query, title="Explain a query", read_only=not self.allow_writes
        )
        if self.allow_writes:
            add_tool(server, self.write_sql, title="Run SQL that may write", destructive=True)

    async def run_sql(self, statement: Statement, branch: Branch = None) -> QueryResult:
        """Run one query and return its rows. It cannot change anything.

        SELECT, WITH, VALUES or TABLE; in a read-only transaction that is rolled back. Functions
        with effects (set_config, pg_terminate_backend, dblink, ...) are refused by name. Rows and
        long values beyond the limits are cut, and the result says so.
        """
        url = await self.project.reach(branch)
        limits = self.runner.limits
        rows = await self.runner.run(lambda: statements.read(url, statement, limits))
        return QueryResult.of(rows)

    async def write_sql(self, statement: Statement, branch: Branch = None) -> QueryResult:
        """Run one statement of any kind, as a transaction of its own, and commit it.

        It may change or delete data and tables. Each call has a connection of its own: SET,
        temporary tables and BEGIN have no effect on the next one. Call checkpoint first before a
        change that may have to be undone, or try it on a branch.
        """
        url = await self.project.reach(branch, writes=True)
        limits = self.runner.limits
        try:
            rows = await self.runner.run(lambda: statements.write(url, statement, limits))
            return QueryResult.of(rows)
        except SqlError as error:
            raise self._explained(error) from None

    def _explained(self, error: SqlError) -> SqlError:
        """The same error; where the server lacks something, with how to get it."""
        project = self.project
        known = explain_failure(error.message, project.settings, project.recorded().provider)
        if known is None:
            return error
        return SqlError(error.message, checked=error.checked, remedy=known, missing=error.missing)

    async def explain_query(
        self,
        statement: Statement,
        analyze: Annotated[
            bool, Field(description="Run the statement for real times, and roll it back.")
        ] = False,
        branch: Branch = None,
    ) -> QueryPlan:
        """Show the plan for one statement. It is not run, unless analyze is true.

        With analyze it is run and rolled back; where this server is read-only, only queries can be.
        """
        url = await self.project.reach(branch, writes=analyze and self.allow_writes)
        work = partial(statements.explain, analyze=analyze, writes=self.allow_writes)
        plan = await self.runner.run(lambda: work(url, statement, self.runner.limits))
        return QueryPlan(plan=plan.splitlines(), analyzed=analyze)
