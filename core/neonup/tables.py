"""The tables of ``[tool.neonup]`` that neonup itself reads, and what is done about other names.

Loaded at every start of a project that has such a table, or where a variable is set that is none of
the settings'. So it imports neither a provider nor a plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from neonup import options
from neonup.options import Options, names, option

if TYPE_CHECKING:
    from neonup.errors import SettingsError


@dataclass(frozen=True)
class NeonNewOptions(Options):
    """Options of the provider ``neon.new``.

    Args:
        url: the service's base URL, up to and with ``/api/v1``.
        timeout: seconds for one request; creating a database takes the service a few.
    """

    table = "neon.new"
    url: str = option(str, "https://neon.new/api/v1")
    timeout: float = option(float, 30.0)


@dataclass(frozen=True)
class ClaimableOptions(Options):
    """Options of the provider ``claimable``.

    Args:
        url: the service's root.
        capabilities: what is asked for beside Postgres, e.g. ``auth,data_api``.
    """

    table = "claimable"
    url: str = option(str, "https://claimable.neon.tech", also="CLAIMABLE_NEON_HOST")
    capabilities: tuple[str, ...] = option(names("auth", "data_api"), ())


_OWN = (NeonNewOptions, ClaimableOptions)
_KNOWN = {
    "local": "neonup_local.options:LocalOptions",
    "account": "neonup_cloud.options:AccountOptions",
    "fleet": "neonup_cloud.options:FleetOptions",
    "pull": "neonup_cloud.options:PullOptions",
}
"""Where the options of neonup's own plugins are, so that a start need not load the plugins."""
_PACKAGES = frozenset(
    {
        *("neonup", "neonup_init", "neonup_cloud", "neonup_emulator", "neonup_inspect"),
        *(
            "neonup_local",
            "neonup_mcp",
            "neonup_pages",
            "neonup_studio",
            "neonup_templates",
            "neonup_web",
        ),
        *("django_neon", "fastapi_neon", "neonup_pytest"),
    }
)
"""Neonup's own packages: what is in none of them may read tables and variables of its own."""

_CLOSE = 0.75
"""How like a known variable an unknown one is before it counts as misspelt: it may be anybody's."""


def check(
    tables: Mapping[str, Mapping[str, Any]],
    variables: Iterable[str],
    settings: Mapping[str, str],
    plugged: Mapping[str, type[Options] | None] | None = None,
) -> None:
    """Refuse misspelt tables, options and variables.

    As long as plugins are not loaded, a table or a variable that is like none of ours may be
    theirs; where others' plugins are installed, so may be one that is. Once they are loaded, every
    table is somebody's or misspelt.

    Args:
        tables: the tables of ``[tool.neonup]``, by name.
        variables: those that begin with ``NEONUP_`` and are not the settings'.
        settings: the variables of the settings, by the settings' names.
        plugged: the options of plugins' providers, by table, None where a provider does not declare
            them; None: plugins are not loaded.

    Raises:
        SettingsError: a table, an option or a variable is unknown.
    """
    known = {**_known(), **(plugged or {})}
    for name, table in tables.items():
        if (declared := known.get(name)) is not None:
            options.refuse_unknown(table, declared)
        elif name not in known:
            like = options.closest(name, [*known, *settings])
            if plugged is not None or (like and not _others_have_plugins()):
                raise _unknown_table(name, known)
    read = [*settings.values(), *_variables(known.values())]
    tails = [variable.removeprefix("NEONUP_") for variable in read]
    leads = {name: options.variable_of(name, "") for name in known}
    undeclared = tuple(lead for name, lead in leads.items() if known[name] is None)
    for name in {*variables} - {*read}:
        if name.startswith(undeclared):
            continue
        close = options.closest(name.removeprefix("NEONUP_"), tails, cutoff=_CLOSE)
        misspelt = close or name.startswith(tuple(leads.values()))
        if misspelt and (plugged is not None or not _others_have_plugins()):
            raise options.unknown("variable", name, "The environment", read)


def _known() -> dict[str, type[Options] | None]:
    """The tables that neonup itself reads; None for one whose distribution is not installed."""
    known: dict[str, type[Options] | None] = {options.table: options for options in _OWN}
    known["variables"] = Options  # which `neonup.settings` reads
    for name, place in _KNOWN.items():
        module, _, attribute = place.partition(":")
        try:
            known[name] = getattr(import_module(module), attribute)
        except ModuleNotFoundError:
            known[name] = None
    return known


def _variables(declared: Iterable[type[Options] | None]) -> Iterator[str]:
    for cls in declared:
        if cls is None:
            continue
        for name, declaration in options.declared(cls).items():
            if declaration.variable:
                yield options.variable_of(cls.table, name)


def _others_have_plugins() -> bool:
    """Whether a plugin is installed that is not neonup's own; it is not loaded for that."""
    from importlib.metadata import entry_points

    plugins = entry_points(group="neonup")
    return any(plugin.module.partition(".")[0] not in _PACKAGES for plugin in plugins)


def _unknown_table(name: str, known: Iterable[str]) -> SettingsError:
    error = options.unknown("table", name, "pyproject.toml [tool.neonup]", known)
    error.remedy = f"{error.remedy} A plugin's table needs that plugin to be installed."
    return error
