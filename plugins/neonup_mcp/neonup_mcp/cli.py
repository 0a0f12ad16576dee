"""``neonup mcp``: the project's database for coding agents."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from neonup import Arguments, NeonupError, find_project
from neonup.plugin import commands
from neonup_mcp.cli_install import install

if TYPE_CHECKING:
    from neonup_mcp.project import ServedProject
    from neonup_mcp.session import StatementLimits

TOKEN = "NEONUP_MCP_TOKEN"  # noqa: S105 - a variable's name
_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(cls=commands.CommandGroup, invoke_without_command=True)
@commands.database_options
@commands.owner_option
@click.option("--project", type=_folder, help="The project's folder; found by default.")
@click.option("--allow-writes", is_flag=True, help="Add the tools that change or delete data.")
@click.option(
    "--allow-remote", is_flag=True,
    help="Also use a database of your own that is on another machine.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.IntRange(1, 3600), default=30, show_default=True,
    help="Seconds that one statement may run.",
)  # fmt: skip
@click.option(
    "--max-rows", type=click.IntRange(1, 10_000), default=200, show_default=True,
    help="Rows that one statement may return.",
)  # fmt: skip
@click.option("--http", is_flag=True, help="Serve over streamable HTTP on 127.0.0.1, not stdio.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0,
    help="The port for --http; a free one by default.",
)  # fmt: skip
@click.option("--no-token", is_flag=True, help="Let in every client on this machine, for --http.")
@commands.json_option
@click.pass_context
def mcp(
    context: click.Context,
    *,
    project: Path | None,
    allow_writes: bool,
    allow_remote: bool,
    timeout: int,
    max_rows: int,
    http: bool,
    port: int,
    no_token: bool,
    **arguments: Unpack[Arguments],
) -> None:
    """Serve the project's database to a coding agent, by the Model Context Protocol.

    Over stdio, as editors start it; `neonup mcp install` tells them. With --http it prints its
    address and a bearer token, which NEONUP_MCP_TOKEN can set.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    _check_installed()
    from neonup_mcp.project import ServedProject
    from neonup_mcp.session import StatementLimits

    folder = project.absolute() if project else find_project(Path.cwd())
    bound = ServedProject(folder, arguments, allow_remote=allow_remote)
    limits = StatementLimits(seconds=timeout, rows=max_rows)
    if http:
        token = None if no_token else os.environ.get(TOKEN) or secrets.token_urlsafe(32)
        _serve_http(bound, limits, allow_writes, port, token)
    else:
        _serve_stdio(bound, limits, allow_writes)


def _refuse_options(context: click.Context) -> None:
    """Options of the server before a subcommand would be lost without a word."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is click.core.ParameterSource.COMMANDLINE:
            name, after = parameter.opts[-1], context.invoked_subcommand
            raise click.UsageError(f"Write {name} after {after}: neonup mcp {after} {name}")


def _check_installed() -> None:
    """Say which extra is missing.

    Raises:
        NeonupError: the SDK or the driver is not installed.
    """
    try:
        import neonup_mcp.server  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ("mcp", "psycopg"):
            raise
        raise NeonupError(
            f"`neonup mcp` needs the package {error.name}, which is not installed.",
            remedy=commands.install("mcp"),
        ) from None


def _serve_stdio(project: ServedProject, limits: StatementLimits, allow_writes: bool) -> None:
    from neonup_mcp import server

    built = server.build(project, limits, allow_writes=allow_writes)
    if sys.stdin.isatty():
        click.echo(
            "`neonup mcp` talks to an editor or agent over stdin and stdout; `neonup mcp install` "
            "tells them. Ctrl-C ends it.",
            err=True,
        )
    # A thread waits for stdin, and Python would wait for that thread.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _run(built.run_stdio_async)


def _serve_http(
    project: ServedProject,
    limits: StatementLimits,
    allow_writes: bool,
    port: int,
    token: str | None,
) -> None:
    from neonup_mcp import http, server

    with http.listen(port) as listener:
        built = server.build(
            project,
            limits,
            allow_writes=allow_writes,
            auth=http.bearer() if token else None,
            token_verifier=http.OneToken(token) if token else None,
        )
        where = http.address(listener)
        if commands.wants_json():
            commands.emit({"url": where, "token": token})
        else:
            commands.table({"url": where, "token": token})
        sys.stdout.flush()
        _run(http.serve, built, listener)


def _run(function: Any, *arguments: Any) -> None:
    """Run a coroutine function; psycopg needs a selector loop, which Windows has not by default."""
    import asyncio

    import anyio

    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    anyio.run(function, *arguments, backend_options={"loop_factory": factory})


mcp.add_command(install)
