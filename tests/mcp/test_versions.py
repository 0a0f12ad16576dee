"""Versions and branches, as an agent uses them around a change."""

from __future__ import annotations

from tests.mcp.conftest import agent, fails, ok
from tests.project import Project


async def test_a_bad_change_is_undone_and_tried_on_a_branch_first(project: Project) -> None:
    async with agent(project, "--allow-writes") as client:
        await ok(client, "get_database", create=True)
        await ok(client, "write_sql", statement="CREATE TABLE a (id int)")
        kept = await ok(client, "checkpoint", name="before")
        assert kept["name"] == "before"

        branch = await ok(client, "create_branch", name="try", hours=1)
        assert "***" in branch["url"]
        assert branch["expires_at"]
        await ok(client, "write_sql", statement="DROP TABLE a", branch="try")
        gone = await fails(client, "run_sql", statement="TABLE a", branch="try")
        assert "does not exist" in gone
        assert (await ok(client, "describe_schema"))["tables"]
        assert not (await ok(client, "describe_schema", branch="try"))["tables"]

        await ok(client, "write_sql", statement="DROP TABLE a")
        assert "'other'" in await fails(client, "restore", version="other")
        restored = await ok(client, "restore", version="before")
        assert (await ok(client, "run_sql", statement="TABLE a"))["rows"] == []
        assert restored["before"]["automatic"]

        assert [one["name"] for one in (await ok(client, "list_branches"))["branches"]] == ["try"]
        await ok(client, "delete_branch", branch="try")
        assert (await ok(client, "list_branches"))["branches"] == []
        assert "no branch 'try'" in await fails(
            client, "run_sql", statement="TABLE a", branch="try"
        )

        old = await ok(client, "create_branch", version="before")
        assert (await ok(client, "run_sql", statement="TABLE a", branch=old["name"]))["rows"] == []
        await ok(client, "delete_branch", branch=old["id"])
        await ok(client, "delete_version", version="before")
        left = [one["name"] for one in (await ok(client, "list_versions"))["versions"]]
        assert left == [restored["before"]["name"]]


async def test_a_server_that_only_reads_can_keep_but_not_go_back(project: Project) -> None:
    project.ok()
    async with agent(project) as client:
        await ok(client, "checkpoint", name="kept")
        await ok(client, "create_branch", name="try")
        project.ok("stop", "--all")  # as the upkeep does with what is idle
        answer = await ok(client, "run_sql", statement="SELECT 1", branch="try")
        assert answer["rows"] == [[1]]
        for tool in ("restore", "delete_version"):
            assert "Unknown tool" in await fails(client, tool, version="kept")
        assert "Unknown tool" in await fails(client, "delete_branch", branch="try")
        assert "Unknown tool" in await fails(client, "write_sql", statement="SELECT 1")


async def test_switched_off_nothing_is_kept_made_or_deleted(project: Project) -> None:
    project.ok()
    project.ok("versions", "checkpoint", "first")
    async with agent(project, "--allow-writes") as client:
        await ok(client, "create_branch", name="try")
    async with agent(project, "--allow-writes", NEONUP="off") as client:
        for tool, arguments in (
            ("checkpoint", {"name": "second"}),
            ("create_branch", {"name": "other"}),
            ("restore", {"version": "first"}),
            ("delete_version", {"version": "first"}),
            ("delete_branch", {"branch": "try"}),
        ):
            assert "NEONUP=off forbids it" in await fails(client, tool, **arguments)
        assert (await ok(client, "run_sql", statement="SELECT 1"))["rows"] == [[1]]
        versions = (await ok(client, "list_versions"))["versions"]
        branches = (await ok(client, "list_branches"))["branches"]
        project.ok("stop", "--all")
        await fails(client, "run_sql", statement="SELECT 1", branch="try")
    assert [version["name"] for version in versions] == ["first"]
    assert [branch["name"] for branch in branches] == ["try"]
    assert project.json("status", NEONUP="off")["state"] == "stopped"
