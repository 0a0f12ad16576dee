"""A fleet as ``[tool.neonup.fleet]`` declares it, for the commands and the application alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from neonup.errors import SettingsError
from neonup.neon.client import Groups
from neonup.neon.groups.group import S
from neonup.neon.platform.fleet import Fleet
from neonup.neon.platform.provisioning import Layout
from neonup.neon.platform.tiers import Tiers
from neonup.settings import Settings, resolve
from neonup.tables import FleetOptions


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


def _options(settings: Settings) -> FleetOptions:
    if FleetOptions.table not in settings.tables:
        raise SettingsError(
            "No fleet is declared.",
            checked=[f"[tool.neonup.fleet] in {settings.project / 'pyproject.toml'}"],
            remedy='Add it: prefix = "acme", and a table for each tier: '
            "[tool.neonup.fleet.tiers.free]",
        )
    found = FleetOptions.of(settings)
    for name in ("prefix", "tiers"):
        if not getattr(found, name):
            raise SettingsError(
                f"The fleet cannot be used: {name} is not set.", checked=["[tool.neonup.fleet]"]
            )
    return found
