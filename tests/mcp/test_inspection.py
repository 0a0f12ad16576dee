"""What an agent learns of what is wrong with the database."""

from __future__ import annotations

from neonup_inspect import TOPICS
from tests.mcp.conftest import agent, fails, ok, text
from tests.project import Project


async def test_an_agent_is_told_what_mends_it_and_nothing_is_run(project: Project) -> None:
    project.ok()
    async with agent(project) as client:
        (tool,) = [one for one in (await client.list_tools()).tools if "inspect" in one.name]
        assert tool.annotations is not None and tool.annotations.read_only_hint
        assert [*tool.input_schema["properties"]["topic"]["enum"]] == [*TOPICS, None]
        assert (await ok(client, "inspect_database"))["findings"] == []
        project.query(
            "CREATE TABLE customer (id int PRIMARY KEY, name text);"
            " CREATE INDEX twice ON customer (name); CREATE INDEX again ON customer (name)"
        )
        (worst,) = (await ok(client, "inspect_database"))["findings"]
        assert worst["statement"] == "DROP INDEX CONCURRENTLY public.again;"
        result = await ok(client, "inspect_database", topic="duplicates")
        assert [row["index"] for row in result["rows"]] == ["public.again"]
        assert not result["truncated"]
        said = text(await client.call_tool("inspect_database", {"topic": "duplicates"}))
        assert "  DROP INDEX CONCURRENTLY public.again;" in said
        assert "index | table | covered_by | size_bytes" in said
        assert "The topics are locks, " in await fails(client, "inspect_database", topic="looks")
