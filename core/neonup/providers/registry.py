"""Which providers there are, and which one creates a project's database.

The known ones register through the hook like any other. They are listed here as well, so that a
start that finds its database need not load any entry points.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from neonup.database import USER, Database
from neonup.errors import ProviderError
from neonup.options import Options
from neonup.provider import Provider
from neonup.settings import AUTO, Settings

if TYPE_CHECKING:
    import pluggy

KNOWN = {
    "local": "neonup_local.provider:LocalProvider",
    "neon.new": "neonup.providers.neon_new:NeonNewProvider",
    "account": "neonup_cloud.account.provider:AccountProvider",
    "claimable": "neonup.providers.claimable.provider:ClaimableProvider",
}
"""Where the known providers are."""
ON_THIS_MACHINE = frozenset({"local"})
"""Of those, the ones whose databases are on this machine; known here where one is not installed."""
BY_ITSELF = ("local", "claimable")
"""Those that ``auto`` tries, in this order: one's own account is used where that was asked for."""


class ProviderNotInstalled(ProviderError):
    """The plugin that brings a provider is not installed in this environment."""


def provider_class(name: str) -> type[Provider]:
    """The provider of that name; entry points are loaded only for one that is not known.

    Raises:
        ProviderNotInstalled: this environment has none of that name.
        ProviderError: two plugins offer one.
    """
    if name not in KNOWN:
        return _plugged_in(name)
    module, _, attribute = KNOWN[name].partition(":")
    try:
        provider: type[Provider] = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        from neonup.extras import install_or_use

        raise ProviderNotInstalled(
            f"The provider {name!r} is not installed.", remedy=install_or_use(name)
        ) from None
    return provider


def _plugged_in(name: str) -> type[Provider]:
    from neonup.plugins import create_plugin_manager

    offered = provider_classes(create_plugin_manager())
    if name not in offered:
        raise ProviderNotInstalled(
            f"There is no provider {name!r}.",
            checked=[f"installed: {', '.join(offered)}"],
            remedy="Correct the name, or install the plugin that brings it.",
        )
    return offered[name]


def provider_classes(manager: pluggy.PluginManager) -> dict[str, type[Provider]]:
    """All providers that plugins offer, by name, the built-in ones first.

    Raises:
        ProviderError: two plugins offer one name.
    """
    from neonup import plugins

    classes: dict[str, type[Provider]] = {}
    for implementation in manager.hook.neonup_providers.get_hookimpls():
        try:
            offered = _checked(implementation.function())
        except Exception as error:
            plugins.report(implementation.plugin_name, error)
            continue
        for provider in offered:
            if provider.name in classes and classes[provider.name] is not provider:
                raise ProviderError(
                    f"Two plugins offer a provider {provider.name!r}: "
                    f"{classes[provider.name].__module__} and {provider.__module__}.",
                    remedy="Uninstall one of them.",
                )
            classes[provider.name] = provider
    return dict(sorted(classes.items(), key=lambda item: item[0] not in KNOWN))


def _checked(offered: object) -> list[type[Provider]]:
    """What ``neonup_providers`` returned; TypeError where it is no provider classes with names."""
    classes = list(cast("Iterable[type[Provider]]", offered))
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, Provider) and hasattr(cls, "name")):
            raise TypeError(f"neonup_providers returned {cls!r}, which is no provider with a name")
    return classes


def plugged_options(manager: pluggy.PluginManager) -> dict[str, type[Options] | None]:
    """The options that plugins' providers declare, by provider; None where one declares none."""
    offered = provider_classes(manager)
    return {name: provider.options for name, provider in offered.items() if name not in KNOWN}


def choose_provider(settings: Settings, *, local_only: str | None) -> tuple[Provider, str]:
    """The provider for a new database, and why, as decided by what is installed.

    Args:
        settings: the project's settings.
        local_only: why only a database on this machine may be created here; None if any may.

    Raises:
        ProviderError: the one asked for cannot be used here, or there is none.
    """
    from neonup.extras import install  # a start that finds its provider needs it not

    if settings.provider != AUTO:
        provider = provider_class(settings.provider)(settings)
        if local_only and not provider.local:
            raise ProviderError(
                f"The provider {provider.name!r} (from {settings.source('provider')}) is not used "
                f"here: {local_only}.",
                remedy=f'Use the local one: {install("local")}, provider = "local".',
            )
        if reason := provider.unavailable():
            raise ProviderError(
                f"The provider {provider.name!r} cannot be used: {reason}",
                remedy="`neonup doctor` shows what was checked.",
            )
        return provider, f"from {settings.source('provider')}"
    checked = []
    for name in BY_ITSELF:
        try:
            provider = provider_class(name)(settings)
        except ProviderError as error:
            checked.append(f"{name}: {error.message}")
            continue
        reason = provider.unavailable()
        if local_only and not provider.local:
            reason = local_only
        if reason is None:
            return provider, "; ".join(checked) or "installed, so chosen automatically"
        checked.append(f"{name}: {reason}")
    raise ProviderError(
        "No provider can create a database here.",
        checked=checked,
        remedy=f"{install('local')} installs a local Postgres.",
    )


def provider_label(database: Database) -> str:
    """What people are shown of where a database comes from: ``a local Postgres``."""
    if database.provider == USER:
        return "your own database"
    try:
        label = provider_class(database.provider).label
    except ProviderError:  # it is recorded, and its provider is not installed
        label = ""
    return label or f"a {database.provider} database"


def retention(database: Database) -> str | None:
    """How long a new database is kept that does not expire; None: nothing is to be said."""
    return provider_class(database.provider).retention


def is_local(database: Database) -> bool:
    """Whether a database that neonup created is on this machine; False for the user's own.

    Raises:
        ProviderError: its provider is unknown in this environment.
    """
    name = database.provider
    return name in ON_THIS_MACHINE or (name != USER and provider_class(name).local)
