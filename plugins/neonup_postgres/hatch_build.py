"""Gives the wheel the tag of the platform that its Postgres is for."""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PlatformTag(BuildHookInterface[Any]):
    """Called by hatchling for a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the platform.

        Args:
            version: of the kind of build.
            build_data: what hatchling makes the wheel by.

        Raises:
            RuntimeError: the package has no Postgres: ``make engine`` puts one in.
        """
        tag = os.environ.get("NEONUP_POSTGRES_PLATFORM")
        if tag is None:
            raise RuntimeError("neonup-postgres is built by `make engine`")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"
