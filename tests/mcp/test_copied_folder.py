"""A folder that was copied: agents there do not change the original's database."""

from __future__ import annotations

import shutil
from typing import Any

from tests.mcp.conftest import agent, fails, ok
from tests.project import Project


async def test_what_writes_is_refused_unless_the_owner_is_named(project: Project) -> None:
    project.ok()
    project.query("CREATE TABLE keep AS SELECT 42 AS x")
    project.ok("versions", "checkpoint", "before")
    two = Project(project.folder.with_name("two"), project.environ)
    shutil.copytree(project.folder, two.folder)
    belongs = f"the database of {project.folder}"
    drop = "DROP TABLE keep"
    async with agent(two, "--allow-writes") as client:
        assert belongs in (await ok(client, "get_database"))["note"]
        assert (await ok(client, "run_sql", statement="TABLE keep"))["rows"] == [[42]]
        refused: dict[str, dict[str, Any]] = {
            "write_sql": {"statement": drop},
            "explain_query": {"statement": "DELETE FROM keep", "analyze": True},
            "restore": {"version": "before"},
            "delete_version": {"version": "before"},
        }
        for tool, arguments in refused.items():
            assert belongs in await fails(client, tool, **arguments)
        await ok(client, "create_branch", name="try")
        assert belongs in await fails(client, "write_sql", statement=drop, branch="try")
        assert belongs in await fails(client, "delete_branch", branch="try")
    assert project.query("SELECT x FROM keep") == "42"
    async with agent(two, "--allow-writes", "--of", str(project.folder)) as client:
        await ok(client, "write_sql", statement=drop)
        await ok(client, "restore", version="before")
    two.ok("fork")
    async with agent(two, "--allow-writes") as client:
        assert (await ok(client, "get_database"))["note"] is None
        await ok(client, "write_sql", statement=drop)
    assert project.query("SELECT x FROM keep") == "42"


async def test_a_worktree_gets_its_own_only_on_request(project: Project) -> None:
    project.ok()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    tree = Project(project.folder.with_name("tree"), project.environ)
    (project.folder / ".gitignore").write_text(".env\n")
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["commit", "-qm", "first"],
        ["worktree", "add", "-q", str(tree.folder)],
    ):
        assert project.command([*git, *arguments]).returncode == 0
    shutil.copy(project.env_file, tree.env_file)
    async with agent(tree) as client:
        assert "the database of" in (await ok(client, "get_database"))["note"]
        assert tree.url == project.url
        assert (await ok(client, "get_database", create=True))["created"]
    assert tree.url != project.url
