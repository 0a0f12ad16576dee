"""``neonup mcp install``: tell editors and agents of the server."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from neonup import NeonupError, find_project
from neonup.plugin import commands
from neonup.plugin.options import closest

_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option(
    "--client", "names", multiple=True, metavar="NAME",
    help="claude-code, cursor, vscode, zed, codex, gemini, windsurf or claude-desktop. Repeatable; "
    "those that are in use by default.",
)  # fmt: skip
@commands.database_options
@click.option("--project", type=_folder, help="The project's folder; found by default.")
@click.option("--allow-writes", is_flag=True, help="Add the tools that change or delete data.")
@click.option("--allow-remote", is_flag=True, help="Also use your own database elsewhere.")
@click.option(
    "--command", metavar="COMMAND",
    help="How neonup is called, e.g. 'uvx --from neonup[mcp,local] neonup'; by default the one "
    "that runs now.",
)  # fmt: skip
@click.option("--print", "only_print", is_flag=True, help="Print what would be written.")
@commands.yes_option
@commands.json_option
def install(
    *,
    names: tuple[str, ...],
    env_file: str | None,
    key: str | None,
    project: Path | None,
    allow_writes: bool,
    allow_remote: bool,
    command: str | None,
    only_print: bool,
    yes: bool,
) -> None:
    """Write the configuration of editors and agents, so that they start `neonup mcp`.

    It shows what changes in each file, and asks. All else in a file stays as it is.
    """
    from neonup_mcp.install import plan

    folder = (project or find_project(Path.cwd())).absolute()
    arguments = [
        *(("--env", str(Path(env_file).absolute())) if env_file else ()),
        *(("--key", key) if key else ()),
        *(("--allow-writes",) if allow_writes else ()),
        *(("--allow-remote",) if allow_remote else ()),
    ]
    called = shlex.split(command) if command else plan.this_command()
    plans = []
    for client in _clients(names, folder):
        wanted = plan.server(client, folder, called, arguments)
        plans.append(plan.plan(client, client.path(folder, Path.home()), wanted))
    if not only_print:
        _apply(plans, yes)
    if commands.wants_json():
        commands.emit(
            [{"client": planned.client.name, "file": str(planned.path)} for planned in plans]
        )
    elif only_print:
        click.echo("\n".join(f"# {planned.path}\n{planned.after}" for planned in plans), nl=False)


def _clients(names: tuple[str, ...], folder: Path) -> list[Any]:
    """Those named, or those in use.

    Raises:
        NeonupError: one is unknown, or not for this platform; or none was named, and none seems
            to be in use.
    """
    from neonup_mcp.install.clients import CLIENTS

    if sys.platform == "linux" and "claude-desktop" in names:
        from neonup_mcp.platforms import CLAUDE_DESKTOP

        raise CLAUDE_DESKTOP.refused()
    known = {client.name: client for client in CLIENTS}
    for name in names:
        if name not in known:
            close = closest(name, known)
            raise NeonupError(
                f"There is no client {name!r}.{f' Did you mean {close!r}?' if close else ''}",
                remedy=f"The clients are {', '.join(known)}.",
            )
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    used = [client for client in CLIENTS if client.is_used(folder, Path.home())]
    if not used:
        raise NeonupError(
            "No editor or agent was found in this project or in your home.",
            remedy=f"Name one with --client: {', '.join(known)}.",
        )
    return used


def _apply(plans: list[Any], yes: bool) -> None:
    due = [plan for plan in plans if plan.changes]
    for plan in due:
        click.echo(plan.diff(), nl=False, err=True)
    if due:
        commands.make_sure("Write this?", yes, lost="written")
    for plan in due:
        plan.apply()
    if commands.wants_json():
        return
    for plan in plans:
        what = "written" if plan.changes else "is as it should be"
        click.echo(f"{plan.client.title}: {plan.path} {what}. {plan.client.then}")
