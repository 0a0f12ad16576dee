"""The official command, ``neon-new``, and a local neon.new for both to use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import world
from bench.world import Home

_ROOT = Path(__file__).parents[1]
_CLIENTS = _ROOT / "tests" / "clients"
_CLIENT = _CLIENTS / "node_modules" / "neon-new" / "dist" / "cli.js"
_REDIRECT = _CLIENTS / "fetch-redirecting.mjs"


def neon_new() -> list[str | Path]:
    """The command line of ``neon-new --yes``, its requests redirected to ``NEON_NEW_ORIGIN``.

    Raises:
        RuntimeError: node, or the package, is not installed.
    """
    node = shutil.which("node")
    if node is None or not _CLIENT.is_file():
        raise RuntimeError("the official neon-new is not installed: make clients (it needs npm)")
    return [node, "--import", _REDIRECT, _CLIENT, "--yes"]


@contextmanager
def neon_new_service(home: Home) -> Iterator[str]:
    """The root URL of a ``neonup serve`` that ends with the block."""
    command = [world.NEONUP, "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        command, cwd=home.path, env=home.environ, stdout=subprocess.PIPE, text=True
    ) as service:
        try:
            assert service.stdout is not None
            ready = json.loads(service.stdout.readline())
            yield str(ready["url"])
        finally:
            service.terminate()


def environ(home: Home, url: str) -> dict[str, str]:
    """What either command needs to use a local neon.new."""
    kept = {name: value for name, value in home.environ.items() if name != "NEONUP_PROVIDER"}
    return {
        **kept,
        "NEONUP_PROVIDER": "neon.new",
        "NEONUP_NEON_NEW_URL": f"{url}/api/v1",
        "NEON_NEW_ORIGIN": url,
        "NODE_NO_WARNINGS": os.environ.get("NODE_NO_WARNINGS", "1"),
    }
