"""The server as editors start it: a child process that speaks the protocol on stdout."""

from __future__ import annotations

from tests.mcp.conftest import agent, fails, ok
from tests.project import Project


async def test_an_agent_gets_a_database_and_reads_it(project: Project) -> None:
    async with agent(project) as client:
        assert "create=true" in await fails(client, "get_database")
        created = await ok(client, "get_database", create=True)
        assert created["created"]
        assert created["provider"] == "local"
        found = await ok(client, "run_sql", statement="SELECT 1 AS one, 'two' AS other")
        assert found["rows"] == [[1, "two"]]
    assert project.variables["DATABASE_URL"]
