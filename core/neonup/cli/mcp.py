"""``neonup mcp``: the project's database for coding agents."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from neonup.cli import options
from neonup.errors import NeonupError
from neonup.settings import Arguments, find_project


@click.command()
@options.database_options
@click.option(
    "--project", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project's folder; found from the current one by default.",
)  # fmt: skip
@click.option("--allow-writes", is_flag=True, help="Add the tools that change or delete data.")
@click.option("--allow-remote", is_flag=True, help="Also use your own database on another machine.")
def mcp(
    project: Path | None, allow_writes: bool, allow_remote: bool, **arguments: Unpack[Arguments]
) -> None:
    """Serve the project's database to a coding agent, by the Model Context Protocol."""
    try:
        from neonup.mcp import server
        from neonup.mcp.project import Project
        from neonup.mcp.session import Limits
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "psycopg"):
            raise
        raise NeonupError(
            "`neonup mcp` needs the Model Context Protocol's SDK and psycopg, which are not "
            "installed.",
            remedy='pip install "neonup[mcp]"',
        ) from None
    folder = project.absolute() if project else find_project(Path.cwd())
    bound = Project(folder, arguments, allow_remote=allow_remote)
    server.build(bound, allow_writes=allow_writes, limits=Limits()).run("stdio")
