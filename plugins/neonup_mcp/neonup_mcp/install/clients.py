"""Editors and agents, and the file in which each one looks for servers.

Where one reads a file of the project, that is the one written: it holds for this project alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class McpClient:
    """An editor or agent.

    Args:
        name: what ``--client`` calls it.
        title: what a person calls it.
        source: where its file and form are documented.
        file: its file, relative to the project's folder, or to the user's home.
        in_project: whether the file is in the project.
        section: the key, or TOML table, under which its servers are.
        more: what it wants of a server beside command, arguments and environment.
        folder: what it puts the project's folder in for; None: nothing that is known.
        signs: what is there where it is used, relative to the project's folder and the home.
        then: what a person has to do afterwards.
    """

    name: str
    title: str
    source: str
    file: str
    in_project: bool = True
    section: str = "mcpServers"
    more: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    signs: tuple[str, ...] = ()
    then: str = "Restart it."

    def path(self, project: Path, home: Path) -> Path:
        """Where its file is, though it may not exist."""
        return (project if self.in_project else home) / self.file

    def is_used(self, project: Path, home: Path) -> bool:
        """Whether something says that the project's developer has it."""
        return self.path(project, home).exists() or any(
            (folder / sign).exists() for sign in self.signs for folder in (project, home)
        )


_CLAUDE_DESKTOP = {
    "darwin": "Library/Application Support/Claude",
    "win32": "AppData/Roaming/Claude",
}

CLIENTS = (
    McpClient(
        "claude-code",
        "Claude Code",
        "https://code.claude.com/docs/en/mcp",
        ".mcp.json",
        more={"type": "stdio"},
        signs=(".claude", ".claude.json", "CLAUDE.md"),
        then="Start it in the project and approve the server.",
    ),
    McpClient(
        "cursor",
        "Cursor",
        "https://cursor.com/docs/mcp",
        ".cursor/mcp.json",
        signs=(".cursor",),
        then="Turn the server on in its settings.",
    ),
    McpClient(
        "vscode",
        "VS Code",
        "https://code.visualstudio.com/docs/agents/reference/mcp-configuration",
        ".vscode/mcp.json",
        section="servers",
        more={"type": "stdio"},
        folder="${workspaceFolder}",
        signs=(".vscode",),
        then="Start the server with the button in that file, and trust it.",
    ),
    McpClient(
        "zed",
        "Zed",
        "https://zed.dev/docs/ai/mcp",
        ".zed/settings.json",
        section="context_servers",
        more={"source": "custom"},
        signs=(".zed", ".config/zed"),
        then="Trust the project in it.",
    ),
    McpClient(
        "codex",
        "Codex",
        "https://learn.chatgpt.com/docs/extend/mcp",
        ".codex/config.toml",
        section="mcp_servers",
        signs=(".codex",),
        then="It reads the file where the project is trusted.",
    ),
    McpClient(
        "gemini",
        "Gemini CLI",
        "https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md",
        ".gemini/settings.json",
        signs=(".gemini",),
    ),
    McpClient(
        "windsurf",
        "Windsurf",
        "https://docs.windsurf.com/windsurf/cascade/mcp",
        ".codeium/windsurf/mcp_config.json",
        in_project=False,
        signs=(".codeium/windsurf",),
    ),
    *(
        McpClient(
            "claude-desktop",
            "Claude Desktop",
            "https://modelcontextprotocol.io/docs/develop/connect-local-servers",
            f"{folder}/claude_desktop_config.json",
            in_project=False,
            signs=(folder,),
        )
        for platform, folder in _CLAUDE_DESKTOP.items()
        if sys.platform == platform
    ),
)
"""Those whose documentation says where their file is; Claude Desktop's is on macOS and Windows."""
