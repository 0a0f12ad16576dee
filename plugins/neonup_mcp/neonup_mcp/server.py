"""The server: its tools, by what it may do."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

from neonup.plugin.manager import create_plugin_manager
from neonup_mcp.database import DatabaseTools
from neonup_mcp.inspection import InspectionTools
from neonup_mcp.project import ServedProject
from neonup_mcp.schema import SchemaTools
from neonup_mcp.session import Runner, StatementLimits
from neonup_mcp.sql import SqlTools
from neonup_mcp.versions import VersionTools

_INSTRUCTIONS = (
    "The Postgres database of the project in {folder}. Call get_database first: it wakes the "
    "database, and creates one if there is none and create is true. {writes} Rows and values "
    "beyond the limits are cut, and the results say so."
)

_READS = (
    "This server only reads: data, tables and versions cannot be changed or deleted through it."
)
_WRITES = "Take a checkpoint before a change that may have to be undone, or try it on a branch."


def build(
    project: ServedProject,
    limits: StatementLimits,
    *,
    allow_writes: bool = False,
    auth: AuthSettings | None = None,
    token_verifier: TokenVerifier | None = None,
) -> MCPServer[Any]:
    """A server for one project.

    Args:
        project: the project; nothing outside of it can be reached.
        limits: what one statement may take.
        allow_writes: whether tools that change or delete something are there.
        auth: how clients are known over HTTP; None: they are not.
        token_verifier: who looks at their tokens.
    """
    server: MCPServer[Any] = MCPServer(
        "neonup",
        title=f"neonup: {project.folder.name}",
        instructions=_INSTRUCTIONS.format(
            folder=project.folder, writes=_WRITES if allow_writes else _READS
        ),
        version=version("neonup"),
        log_level="WARNING",
        auth=auth,
        token_verifier=token_verifier,
    )
    runner = Runner(limits)
    DatabaseTools(project).register(server)
    SchemaTools(project, runner).register(server)
    InspectionTools(project, runner).register(server)
    VersionTools(project, allow_writes).register(server)
    SqlTools(project, runner, allow_writes).register(server)
    create_plugin_manager().hook.neonup_mcp_tools(
        server=server, database=project.answering, allow_writes=allow_writes
    )
    return server
