"""The plugin manager, made by a function when it is needed, never at import."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import pluggy

from neonup import hookspecs

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
        f"neonup: the plugin {plugin} could not be loaded and was skipped: "
        f"{type(error).__name__}: {error}",
        file=sys.stderr,
    )
