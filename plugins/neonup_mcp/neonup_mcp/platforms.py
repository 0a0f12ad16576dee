"""What the MCP server cannot do on every platform; see `neonup.platforms`."""

from __future__ import annotations

from neonup.plugin.platforms import LINUX, MACOS, WINDOWS, Capability

CAPABILITIES = (
    CLAUDE_DESKTOP := Capability(
        "`neonup mcp install --client claude-desktop`",
        (MACOS, WINDOWS),
        "Name another client with --client; there is no Claude Desktop for Linux.",
        cannot="Claude Desktop cannot be told of the server",
    ),
    Capability(
        "A statement ends with the client that asked for it, when that is killed",
        (LINUX, MACOS),
        "It runs to its end, or until its time is up.",
    ),
)
"""What the MCP server can do."""
