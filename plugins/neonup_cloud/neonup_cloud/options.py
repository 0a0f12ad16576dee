"""The tables ``account``, ``fleet`` and ``pull`` of ``[tool.neonup]``.

The core reads it at a start of a project that has one of these tables, so it imports nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neonup.plugin.options import Options, option, text


def parse_id(value: object) -> str:
    """The id of a project or an organization.

    Raises:
        ValueError: it can be none.
    """
    name = text(value)
    if not name.isascii() or not name.replace("-", "").isalnum():  # as Neon's document says
        raise ValueError("an id has letters, digits and dashes")
    return name


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("it must be a table")
    return value


def _maskings(value: object) -> Mapping[str, str]:
    maskings = _table(value)
    if not all(isinstance(masking, str) and masking.strip() for masking in maskings.values()):
        raise ValueError('it must be columns and maskings, like {"users.email" = "hash"}')
    return maskings


@dataclass(frozen=True)
class AccountOptions(Options):
    """Options of the provider ``account``; where unset, variables of Neon's own clients are read.

    Args:
        url: where Neon's API is, up to and with ``/api/v2``.
        project: an existing project: the database is a new branch of it. None: a new project.
        org: the organization whose projects are meant; None: the key's own.
        region: where a new project is, e.g. ``aws-us-east-2``.
        branch: the name of a new branch.
        database: which database of a branch, where it has several.
        claimable: whether a new project is offered to whoever has its claim link.
        claim_seconds: how long a claim link is good.
        claim_redirect: the web page where the new owner goes after a claim.
        git_branch_days: how many days the Neon branch of a deleted git branch lives on; None: it
            does not expire.
    """

    table = "account"
    url: str | None = option(str, also="NEON_API_HOST")
    project: str | None = option(parse_id, also="NEON_PROJECT_ID")
    org: str | None = option(parse_id, also="NEON_ORG_ID")
    region: str | None = option(str)
    branch: str | None = option(str)
    database: str | None = option(str)
    claimable: bool = option(bool, default=False)
    claim_seconds: int | None = option(int)
    claim_redirect: str | None = option(str)
    git_branch_days: int | None = option(int)


@dataclass(frozen=True)
class FleetOptions(Options):
    """A fleet: a project for each user; see `neonup_cloud.fleets`.

    Args:
        prefix: what the projects' names begin with.
        tiers: a table each; see `neonup_cloud.fleets.Tier`.
        hashed: whether names hold a hash of the users' keys.
        secret: goes into the hashes; better in the variable than in the file.
        region: where new projects are.
        pg_version: Postgres's major version of new projects.
        database: the name of their database.
        role: who owns it; the database's name and ``_owner`` if None.
    """

    table = "fleet"
    prefix: str = option(str, "")
    tiers: Mapping[str, Any] = option(_table, variable=False)
    hashed: bool = option(bool, default=False)
    secret: str = option(str, "")
    region: str | None = option(str)
    pg_version: int | None = option(int)
    database: str = option(str, "neondb")
    role: str | None = option(str)


@dataclass(frozen=True)
class PullOptions(Options):
    """What ``neonup pull`` does to the data on its way.

    Args:
        mask: maskings, by column.
    """

    table = "pull"
    mask: Mapping[str, str] = option(_maskings, variable=False)
