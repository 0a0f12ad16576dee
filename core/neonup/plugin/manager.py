"""The plugin manager, for a plugin that calls hooks itself."""

from __future__ import annotations

from neonup.plugins import create_plugin_manager, report

__all__ = ["create_plugin_manager", "report"]
