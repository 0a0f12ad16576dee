"""How the commands delete a project, a branch or a snapshot of Neon's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import click

from neonup.plugin import commands

if TYPE_CHECKING:
    from neonup_cloud.api.answers import Operation
    from neonup_cloud.cli.target import AccountTarget


class Deletable(Protocol):
    """What can be deleted: it has an id and a name."""

    @property
    def id(self) -> str:
        """Neon's id."""
        ...

    @property
    def name(self) -> str:
        """Its name, for messages."""
        ...


def delete(
    target: AccountTarget,
    kind: str,
    item: Deletable,
    request: Callable[[], Sequence[Operation]],
    *,
    loses: str = "",
    yes: bool,
) -> None:
    """Ask whether to delete something, delete it, and say so.

    Args:
        target: the account that it is in.
        kind: ``project``, ``branch`` or ``snapshot``.
        item: what is deleted.
        request: deletes it, and returns what Neon still has to do.
        loses: what else is lost, for the question, e.g. `` with its data``.
        yes: whether the question is answered already.

    Raises:
        NeonupError: the user said no.
    """
    described = f"the {kind} {item.name} ({item.id})"
    commands.make_sure(f"Delete {described}{loses}?", yes)
    target.settle(request(), "Neon deletes it")
    if commands.wants_json():
        commands.emit({"deleted": True, "id": item.id, "name": item.name})
    else:
        click.echo(f"Deleted {described}.")
