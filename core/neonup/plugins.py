"""The plugin manager and the providers: made by functions when needed, never at import."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import cast

import pluggy

from neonup import hookspecs, providers
from neonup.errors import ProviderError
from neonup.providers.base import Provider
from neonup.settings import AUTO, Settings

GROUP = "neonup"


def create_plugin_manager() -> pluggy.PluginManager:
    """A manager with every installed plugin; one that fails to load is named and skipped."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    for entry_point in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            plugin = entry_point.load()
            manager.register(plugin, name=entry_point.name)
        except Exception as error:
            report(f"{entry_point.name} ({entry_point.value})", error)
    return manager


def report(plugin: str, error: Exception) -> None:
    """Name a plugin that is left out: it must not take the dev server down."""
    print(
        f"neonup: the plugin {plugin} could not be loaded and is left out: "
        f"{type(error).__name__}: {error}",
        file=sys.stderr,
    )


def provider_class(name: str) -> type[Provider]:
    """A plugin's provider.

    Raises:
        ProviderError: there is none of that name, or two plugins offer one.
    """
    offered = provider_classes(create_plugin_manager())
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
        try:
            offered = cast("Iterable[type[Provider]]", implementation.function())
        except Exception as error:
            report(implementation.plugin_name, error)
            continue
        for provider in offered:
            if provider.name in found and found[provider.name] is not provider:
                raise ProviderError(
                    f"Two plugins offer a provider {provider.name!r}: "
                    f"{found[provider.name].__module__} and {provider.__module__}.",
                    remedy="Uninstall one of them.",
                )
            found[provider.name] = provider
    return dict(sorted(found.items(), key=lambda item: item[0] not in providers.KNOWN))


def choose_provider(settings: Settings, *, local_only: str | None) -> tuple[Provider, str]:
    """The provider for a new database, and why, as decided by what is installed.

    Args:
        settings: the project's settings.
        local_only: why only a database on this machine may be made here; None where any may.

    Raises:
        ProviderError: the one asked for cannot be used here, or there is none.
    """
    if settings.provider != AUTO:
        provider = providers.provider_class(settings.provider)(settings)
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
    for name in providers.KNOWN:
        try:
            provider = providers.provider_class(name)(settings)
        except ProviderError as error:
            checked.append(f"{name}: {error.message}")
            continue
        reason = provider.unavailable()
        if local_only and not provider.local:
            reason = local_only
        if reason is None:
            return provider, "; ".join(checked) or "it is installed"
        checked.append(f"{name}: {reason}")
    raise ProviderError(
        "No provider can make a database here.",
        checked=checked,
        remedy='pip install "neonup[local]" brings a Postgres of its own.',
    )
