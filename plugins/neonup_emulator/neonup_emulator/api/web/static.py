"""The pages' style sheets and scripts."""

from __future__ import annotations

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles


def mount() -> Mount:
    """Below ``/static``."""
    return Mount("/static", StaticFiles(packages=[("neonup_emulator.api.web", "static")]))
