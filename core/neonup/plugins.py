"""The plugin manager and the providers: made by functions when needed, never at import."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import EntryPoint, entry_points

import pluggy

from neonup import hookspecs
from neonup.errors import ProviderError
from neonup.providers.base import Provider
from neonup.settings import AUTO, Settings

GROUP = "neonup"

PROVIDERS = {
    "local": "neonup_local.provider:LocalProvider",
    "neon.new": "neonup.providers.neon_new:NeonNewProvider",
}
"""Where the known providers are, in the order in which ``auto`` tries them.

They register through the hook like any other; this list spares the path where a database is
already there the loading of entry points.
"""


def create_plugin_manager() -> pluggy.PluginManager:
    """A manager with every installed plugin; one that fails to load is named and skipped."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    for entry_point in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            plugin = entry_point.load()
            manager.register(plugin, name=entry_point.name)
        except Exception as error:  # whatever a foreign module raises must not stop the start
            _report(entry_point, error)
    return manager


def _report(entry_point: EntryPoint, error: Exception) -> None:
    print(
        f"neonup: the plugin {entry_point.name!r} ({entry_point.value}) could not be loaded and "
        f"is left out: {type(error).__name__}: {error}",
        file=sys.stderr,
    )


def provider_class(name: str, manager: pluggy.PluginManager | None = None) -> type[Provider]:
    """The provider of that name; entry points are loaded only for one that is not built in.

    Raises:
        ProviderError: there is none, or two plugins offer one.
    """
    if name in PROVIDERS:
        module, _, attribute = PROVIDERS[name].partition(":")
        try:
            found: type[Provider] = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name != module.partition(".")[0]:
                raise
            raise ProviderError(
                f"The provider {name!r} is not installed.",
                remedy=f'pip install "neonup[{name}]"',
            ) from None
        return found
    offered = provider_classes(manager or create_plugin_manager())
    if name not in offered:
        raise ProviderError(
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
    found: dict[str, type[Provider]] = {}
    for implementation in manager.hook.neonup_providers.get_hookimpls():
        for provider in implementation.function():
            if provider.name in found and found[provider.name] is not provider:
                raise ProviderError(
                    f"Two plugins offer a provider {provider.name!r}: "
                    f"{found[provider.name].__module__} and {provider.__module__}.",
                    remedy="Uninstall one of them.",
                )
            found[provider.name] = provider
    return dict(sorted(found.items(), key=lambda item: item[0] not in PROVIDERS))


def choose_provider(settings: Settings, *, local_only: str | None) -> tuple[Provider, str]:
    """The provider for a new database, and why, as decided by what is installed.

    Args:
        settings: the project's settings.
        local_only: why only a database on this machine may be made here; None where any may.

    Raises:
        ProviderError: the one asked for cannot be used here, or there is none.
    """
    if settings.provider != AUTO:
        provider = provider_class(settings.provider)(settings)
        if local_only and not provider.local:
            raise ProviderError(
                f"The provider {provider.name!r} (from {settings.source('provider')}) is not used "
                f"here: {local_only}.",
                remedy='Use the local one: pip install "neonup[local]", provider = "local".',
            )
        if reason := provider.unavailable():
            raise ProviderError(
                f"The provider {provider.name!r} cannot be used: {reason}",
                remedy="neonup doctor shows what was looked at.",
            )
        return provider, f"from {settings.source('provider')}"
    checked = []
    for name in PROVIDERS:
        try:
            provider = provider_class(name)(settings)
        except ProviderError as error:
            checked.append(f"{name}: {error.message}")
            continue
        reason = provider.unavailable()
        if local_only and not provider.local:
            reason = local_only
        if reason is None:
            return provider, "; ".join([*checked, f"{name} is the first that can be used"])
        checked.append(f"{name}: {reason}")
    raise ProviderError(
        "No provider can make a database here.",
        checked=checked,
        remedy='pip install "neonup[local]" brings a Postgres of its own.',
    )
