"""Databases of applications that agents write: versions to go back to."""

from __future__ import annotations

from neonup.neon.agents.versions import ProjectVersions

__all__ = ["ProjectVersions"]
