"""``.neon``: the project, branch and organization that Neon's own command links a folder to.

``neon link``, ``neon checkout``, ``neon git`` and ``neon set-context`` write it as JSON, with
``projectId``, ``orgId`` and ``branch`` (the last one: ``branchId``), and with a map of git branches
to Neon branches, ``git.map`` (npm's ``neon`` 6.2.3, ``dist/context.js``). It is found as that
command finds it: in the folder or above it, below the user's home; the map counts in the
repository's root alone. neonup only reads it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from neonup import SettingsError
from neonup_cloud.options import AccountOptions, parse_id

NAME = ".neon"


class _Git(msgspec.Struct):
    map: dict[str, str] | None = None


class _NeonFile(msgspec.Struct, rename="camel"):
    """The fields of ``.neon`` that are read."""

    project_id: str | None = None
    org_id: str | None = None
    branch: str | None = None
    branch_id: str | None = None
    git: _Git | None = None


@dataclass(frozen=True)
class NeonLink:
    """What a ``.neon`` says.

    Args:
        path: the file.
        project: the project's id.
        org: the organization's id.
        branch: the branch's name or id.
        git_branches: the names of Neon branches, by git branches.
    """

    path: Path
    project: str | None = None
    org: str | None = None
    branch: str | None = None
    git_branches: Mapping[str, str] = field(default_factory=dict)

    def branch_in(self, project: str) -> str | None:
        """The branch that is meant where a project is; None: it is another one's, or none."""
        return self.branch if project == self.project else None


def link_of(options: AccountOptions, folder: Path) -> NeonLink | None:
    """The link that counts: none where the options name a project.

    That one may be another organization's than the link's, so the link is one thing: it is taken
    with its project, branch and organization, or not at all.

    Raises:
        SettingsError: as `find`.
    """
    return None if options.project else find(folder)


def with_link(options: AccountOptions, link: NeonLink | None) -> AccountOptions:
    """The options, with the project of a link. An organization that they name stays."""
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


def mapped_branch(folder: Path, project: str, git_branch: str) -> str | None:
    """The Neon branch that ``neon git`` has noted for a git branch; None: it has noted none.

    Args:
        folder: a folder of the repository.
        project: the Neon project; a map of another one's branches is none.
        git_branch: the git branch's name.

    Raises:
        SettingsError: as `find`.
    """
    for place in (folder, *folder.parents):
        if os.path.lexists(place / ".git"):
            link = _read(place / NAME) if (place / NAME).is_file() else None
            return link.git_branches.get(git_branch) if link and link.project == project else None
    return None


def _read(path: Path) -> NeonLink:
    try:
        content = msgspec.json.decode(path.read_bytes().strip() or b"{}", type=_NeonFile)
        return NeonLink(
            path,
            content.project_id and parse_id(content.project_id),
            content.org_id and parse_id(content.org_id),
            content.branch or content.branch_id or None,
            (content.git and content.git.map) or {},
        )
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path} cannot be used: {error}.",
            remedy="Write it anew with Neon's own command, `neon link`, or remove it. With "
            "NEON_PROJECT_ID it is not read.",
        ) from None
