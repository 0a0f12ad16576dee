"""``completion``: the shell's script, and the names that it completes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import click
from click.shell_completion import get_completion_class

from neonup.cli.groups import Choice
from neonup.env import dotenv, record
from neonup.errors import NeonupError
from neonup.providers.registry import KNOWN, provider_class
from neonup.settings import Settings, resolve
from neonup.start import lookup

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


@click.command()
@click.argument("shell", type=Choice(["bash", "zsh", "fish"]))
def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print the script that completes neonup's commands, options and names.

    In ~/.bashrc, or ~/.zshrc with zsh: eval "$(neonup completion bash)". For fish: neonup
    completion fish > ~/.config/fish/completions/neonup.fish
    """
    command = click.get_current_context().find_root().command
    script = get_completion_class(shell)(command, {}, "neonup", "_NEONUP_COMPLETE").source()
    # click's for fish ends a name or a description at its first comma.
    click.echo(script.replace('string split ","', 'string split --max 1 ","'))


def names(known: Callable[[Settings], Iterable[str]]) -> Complete:
    """How an argument or an option is completed: its ``shell_complete``.

    Args:
        known: returns names of a project that this machine knows. It starts nothing and asks no
            network; where it raises NeonupError or OSError nothing is completed.
    """

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        chosen: Any = {name: ctx.params.get(name) for name in ("env_file", "key")}
        try:
            found = [*known(resolve(None, **chosen))]
        except (NeonupError, OSError):
            return []
        return [name for name in dict.fromkeys(found) if name.startswith(incomplete)]

    return complete


def databases(settings: Settings) -> Iterable[str]:
    """The variables that name the project's databases."""
    return record.keys(dotenv.read(lookup.file_of(settings, pipes=False), pipes=False))


def providers(settings: Settings) -> Iterable[str]:
    """The providers that are known without their plugins."""
    return KNOWN


def versions(settings: Settings) -> Iterable[str]:
    """The names of versions and previews that are on this machine."""
    database = lookup.find_database(settings)
    if database is None or not database.own:
        return []
    provider = provider_class(database.provider)(settings)
    kept = provider.versions(database) if provider.local else None
    if kept is None:
        return []
    return [*(version.name for version in kept.history()), *(copy.name for copy in kept.branches())]
