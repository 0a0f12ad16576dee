"""A fleet as ``[tool.neonup.fleet]`` declares it, for the commands and the application alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from neonup import Settings, SettingsError, resolve
from neonup_cloud.api.client import Groups
from neonup_cloud.api.groups.group import S
from neonup_cloud.fleets.fleet import Fleet
from neonup_cloud.fleets.provisioning import Layout
from neonup_cloud.fleets.tiers import Tiers

NAME = "fleet"


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """The options of the table; for each, ``NEONUP_FLEET_<NAME>`` wins.

    Args:
        prefix: what the projects' names begin with.
        tiers: a table each; see `Tier`.
        hashed: whether names hold a hash of the users' keys.
        secret: goes into the hashes; better in the variable than in the file.
        region: where new projects are.
        pg_version: Postgres's major version of new projects.
        database: the name of their database.
        role: who owns it; the database's name and ``_owner`` if None.
    """

    prefix: str
    tiers: dict[str, Any]
    hashed: bool = False
    secret: str = ""
    region: str | None = None
    pg_version: int | None = None
    database: str = "neondb"
    role: str | None = None


def declared(
    neon: Groups[S],
    project: Settings | Path | str | None = None,
    *,
    org_id: str | None = None,
) -> Fleet[S]:
    """The fleet of a project's ``pyproject.toml``.

    Args:
        neon: the client.
        project: its folder, or its settings; found from the current folder if None.
        org_id: the organization of tiers that name none; the client's if None.

    Raises:
        SettingsError: nothing is declared, or a value cannot be used.
    """
    settings = project if isinstance(project, Settings) else resolve(project)
    options = _options(settings)
    tiers = Tiers.from_table(options.tiers)
    if org_id:
        tiers = Tiers(replace(one, org_id=one.org_id or org_id) for one in tiers.values())
    layout = Layout(
        options.region,
        options.pg_version,
        options.database,
        options.role or f"{options.database}_owner",
    )
    return Fleet(
        neon,
        tiers,
        prefix=options.prefix,
        hashed=options.hashed,
        secret=options.secret,
        layout=layout,
    )


def _options(settings: Settings) -> Options:
    table = dict(settings.tables.get(NAME, {}))
    if not table:
        raise SettingsError(
            "No fleet is declared.",
            checked=[f"[tool.neonup.fleet] in {settings.project / 'pyproject.toml'}"],
            remedy='Add it: prefix = "acme", and a table for each tier: '
            "[tool.neonup.fleet.tiers.free]",
        )
    for name in Options.__struct_fields__:
        if name != "tiers" and (value := settings.option(NAME, name)) is not None:
            table[name] = value
    try:
        return msgspec.convert(table, Options, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"The fleet cannot be used: {error}.",
            checked=["[tool.neonup.fleet]", "NEONUP_FLEET_*"],
        ) from None
