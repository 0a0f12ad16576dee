"""The plugin manager, made by a function when it is needed, never at import."""

from __future__ import annotations

import re
import sys
from importlib.metadata import entry_points

import pluggy

from neonup import hookspecs
from neonup.options import closest

GROUP = "neonup"


def create_plugin_manager() -> pluggy.PluginManager:
    """A manager with every installed plugin; one that cannot be used is named and left out.

    That is one that fails to load, that implements a hook which there is not, e.g. a misspelt one,
    or whose hook has a parameter that the hook has not.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    for entry_point in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            plugin = entry_point.load()
            manager.register(plugin, name=entry_point.name)
            manager.check_pending()
        except (Exception, SystemExit) as error:
            if manager.has_plugin(entry_point.name):  # of its hooks some may be registered by now
                manager.unregister(name=entry_point.name)
            report(f"{entry_point.name} ({entry_point.value})", _explained(error))
    return manager


def _explained(error: BaseException) -> BaseException:
    name = re.match(r"unknown hook '(\w+)'", str(error))
    if name is None:
        return error
    hooks = [hook for hook in vars(hookspecs) if hook.startswith("neonup_")]
    close = closest(name[1], hooks)
    meant = f"did you mean {close!r}?" if close else f"the hooks are {', '.join(hooks)}"
    return pluggy.PluginValidationError(None, f"there is no hook {name[1]!r}; {meant}")


def report(plugin: str, error: BaseException) -> None:
    """Name a plugin that is left out: it must not take the dev server down."""
    print(
        f"neonup: the plugin {plugin} could not be loaded and was skipped: "
        f"{type(error).__name__}: {error}",
        file=sys.stderr,
    )
