"""``neonup mcp install``: each client's file in a project and a home of its own."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.mcp.conftest import ok
from tests.project import Project, names

FILES = {
    "claude-code": ("project", ".mcp.json", "mcpServers"),
    "cursor": ("project", ".cursor/mcp.json", "mcpServers"),
    "vscode": ("project", ".vscode/mcp.json", "servers"),
    "zed": ("project", ".zed/settings.json", "context_servers"),
    "codex": ("project", ".codex/config.toml", "mcp_servers"),
    "gemini": ("project", ".gemini/settings.json", "mcpServers"),
    "windsurf": ("home", ".codeium/windsurf/mcp_config.json", "mcpServers"),
}


@pytest.fixture
def home(tmp_path: Path, project: Project) -> Path:
    """The user's home, empty."""
    home = tmp_path / "home"
    home.mkdir()
    project.environ["HOME"] = str(home)
    return home


def server(project: Project, home: Path, client: str) -> dict[str, Any]:
    """What a client's file says of the server."""
    where, name, section = FILES[client]
    text = ((home if where == "home" else project.folder) / name).read_text("utf-8")
    parsed = tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
    found: dict[str, Any] = parsed[section]["neonup"]
    return found


@pytest.mark.parametrize("client", FILES)
async def test_what_is_written_starts_the_server(client: str, project: Project, home: Path) -> None:
    project.ok("mcp", "install", "--client", client, "-y")
    entry = server(project, home, client)
    assert entry["env"] == {"NEONUP_HOME": project.environ["NEONUP_HOME"]}
    words = [
        word.replace("${workspaceFolder}", str(project.folder))
        for word in [entry["command"], *entry["args"]]
    ]
    # As an editor: from any folder, with what the file says and little else.
    started = StdioServerParameters(command=words[0], args=words[1:], env=entry["env"], cwd=home)
    async with Client(stdio_client(started)) as agent:
        assert (await ok(agent, "list_databases"))["databases"] == []


def test_without_a_name_those_in_use_are_found(project: Project, home: Path) -> None:
    said = project.fails("mcp", "install", "-y")
    assert "--client: claude-code, cursor" in said
    (project.folder / ".vscode").mkdir()
    (home / ".codex").mkdir()
    said = project.ok("mcp", "install", "-y", "--allow-writes")
    assert [line.partition(":")[0] for line in said.splitlines()] == ["VS Code", "Codex"]
    assert "--allow-writes" in server(project, home, "vscode")["args"]
    assert not (project.folder / ".mcp.json").exists()
    assert "as it should be" in project.ok("mcp", "install", "--allow-writes")  # nothing to ask


def test_it_shows_the_change_and_asks(project: Project, home: Path) -> None:
    file = project.folder / ".mcp.json"
    file.write_text('{\n  "mcpServers": {"mine": {"command": "x"}}\n}\n')
    said = project.fails("mcp", "install", "--client", "claude-code")
    assert '+    "neonup": {' in said
    assert "Nothing was written" in said
    assert "neonup" not in file.read_text()

    answer = project.json("mcp", "install", "--client", "claude-code", "-y")
    assert answer == [{"client": "claude-code", "file": str(file)}]
    assert json.loads(file.read_text())["mcpServers"]["mine"] == {"command": "x"}


def test_a_misspelt_client_is_suggested(project: Project, home: Path) -> None:
    assert "Did you mean 'cursor'?" in project.fails("mcp", "install", "--client", "cusor")


def test_printing_writes_nothing(project: Project, home: Path) -> None:
    said = project.ok("mcp", "install", "--client", "cursor", "--client", "codex", "--print")
    assert '"mcpServers"' in said
    assert "[mcp_servers.neonup]" in said
    assert not any((project.folder / name).exists() for name in (".cursor", ".codex"))


def test_a_file_with_comments_is_left_alone_and_the_text_to_paste_is_shown(
    project: Project, home: Path
) -> None:
    file = project.folder / ".zed" / "settings.json"
    file.parent.mkdir()
    file.write_text('{\n  // mine\n  "theme": "dark",\n}\n')
    before = file.read_bytes()
    said = project.fails("mcp", "install", "--client", "zed", "-y")
    assert "left alone" in said
    assert '"context_servers": {' in said
    assert file.read_bytes() == before


def test_one_file_that_cannot_be_changed_keeps_the_others_as_they_were(
    project: Project, home: Path
) -> None:
    (project.folder / ".mcp.json").write_text("{ damaged")
    said = project.fails("mcp", "install", "--client", "cursor", "--client", "claude-code", "-y")
    assert ".mcp.json was left alone" in said
    assert not (project.folder / ".cursor").exists()


def test_a_link_stays_a_link_and_the_mode_stays(project: Project, home: Path) -> None:
    real = home / "dotfiles.json"
    real.write_text('{"mcpServers": {}}')
    real.chmod(0o640)
    (project.folder / ".mcp.json").symlink_to(real)
    project.ok("mcp", "install", "--client", "claude-code", "-y")
    assert (project.folder / ".mcp.json").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "neonup" in real.read_text()


def test_a_folder_in_the_files_place_is_an_error(project: Project, home: Path) -> None:
    (project.folder / ".mcp.json").mkdir()
    assert "cannot be read" in project.fails("mcp", "install", "--client", "claude-code", "-y")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_is_read_only_is_an_error(project: Project, home: Path) -> None:
    file = project.folder / ".mcp.json"
    file.write_text("{}")
    file.chmod(0o400)
    said = project.fails("mcp", "install", "--client", "claude-code", "-y")
    assert "could not be written" in said
    assert file.read_text() == "{}"


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_the_file_as_it_was(there: bool, project: Project, home: Path) -> None:
    file = project.folder / ".mcp.json"
    if there:
        file.write_text('{"a": 1}')
    install = f"{sys.executable} -m neonup mcp install --client claude-code -y"
    done = project.command(["bash", "-c", f"ulimit -f 0; exec {install}"])
    assert done.returncode == 1
    assert "could not be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(project.folder) == ([".mcp.json"] if there else []) + ["pyproject.toml"]
    assert not there or file.read_text() == '{"a": 1}'


def test_no_secret_is_written(project: Project, home: Path) -> None:
    project.ok()
    password = project.url.partition("@")[0].rpartition(":")[2]
    for client in FILES:
        project.ok("mcp", "install", "--client", client, "-y", DATABASE_URL=project.url)
    written = [path for root in (project.folder, home) for path in root.rglob("*.json")]
    assert len(written) >= 6
    assert not any(password in path.read_text() for path in written)


def test_another_command_is_kept_as_it_is_named(project: Project, home: Path) -> None:
    command = "uvx --from 'neonup[mcp,local]' neonup"
    project.ok("mcp", "install", "--client", "codex", "-y", "--command", command, "-k", "MY_URL")
    entry = server(project, home, "codex")
    assert entry["command"] == "uvx"
    assert entry["args"][:5] == ["--from", "neonup[mcp,local]", "neonup", "mcp", "--project"]
    assert entry["args"][-2:] == ["--key", "MY_URL"]


def test_an_option_before_the_subcommand_is_not_lost(project: Project, home: Path) -> None:
    done = project.neonup("mcp", "--allow-writes", "install", "--client", "cursor", "-y")
    assert done.returncode == 2
    assert "neonup mcp install --allow-writes" in done.stderr
    assert not (project.folder / ".cursor").exists()


def test_an_unknown_client_is_an_error(project: Project, home: Path) -> None:
    assert "The clients are" in project.fails("mcp", "install", "--client", "emacs")
