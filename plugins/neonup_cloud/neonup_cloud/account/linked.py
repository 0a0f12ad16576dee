"""``.neon``: the project and the organization that a folder is linked to by Neon's own command.

``neon link``, ``neon checkout`` and ``neon set-context`` write it as JSON, with ``projectId`` and
``orgId`` (npm's ``neon`` 6.2.3, ``dist/context.js``). It is found as that command finds it: in the
folder or above it, below the user's home. neonup only reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from neonup import SettingsError
from neonup_cloud.options import AccountOptions, parse_id

NAME = ".neon"


@dataclass(frozen=True)
class NeonLink:
    """What a ``.neon`` says.

    Args:
        path: the file.
        project: the project's id.
        org: the organization's id.
    """

    path: Path
    project: str | None = None
    org: str | None = None


def with_link(options: AccountOptions, folder: Path) -> AccountOptions:
    """The options, with what ``.neon`` says where they name no project.

    A project that they name may be another organization's than the link's, so the link is one
    thing: it is taken with both of its ids, or not at all. An organization that they name stays.

    Raises:
        SettingsError: as `find`.
    """
    link = None if options.project else find(folder)
    if link is None:
        return options
    return replace(options, project=link.project, org=options.org or link.org)


def find(folder: Path) -> NeonLink | None:
    """The link of a folder; None if it has none.

    Raises:
        SettingsError: the file cannot be read, or is not what Neon's command writes.
    """
    home = Path.home()
    for place in (folder, *folder.parents):
        if place in (home, Path(place.anchor)):
            return None
        path = place / NAME
        if path.is_file():
            return _read(path)
    return None


def _read(path: Path) -> NeonLink:
    try:
        content: object = msgspec.json.decode(path.read_bytes().strip() or b"{}")
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise _unusable(path, str(error)) from None
    if not isinstance(content, dict):
        raise _unusable(path, "it must be an object of JSON")
    return NeonLink(path, _id(path, content, "projectId"), _id(path, content, "orgId"))


def _id(path: Path, content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None:
        return None
    try:
        return parse_id(value)
    except ValueError as error:
        raise _unusable(path, f"{name}: {error}") from None


def _unusable(path: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"{path} cannot be used: {reason}.",
        remedy="Write it anew with Neon's own command, `neon link`, or remove it. With "
        "NEON_PROJECT_ID it is not read.",
    )
