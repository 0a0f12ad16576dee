"""What would change in a client's file, and changing it."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neonup import EnvFileError, NeonupError
from neonup.plugin import files
from neonup_mcp.install import edit
from neonup_mcp.install.clients import McpClient

NAME = "neonup"
"""What the server is called in each of the files."""


@dataclass(frozen=True)
class InstallPlan:
    """A change of a client's file.

    Args:
        client: whose.
        path: the file.
        before: its content; None: there is no file.
        after: what it will be.
    """

    client: McpClient
    path: Path
    before: str | None
    after: str

    @property
    def changes(self) -> bool:
        """Whether there is something to do."""
        return self.before != self.after

    def diff(self) -> str:
        """What changes, as ``diff -u`` shows it."""
        before = [] if self.before is None else self.before.splitlines(keepends=True)
        lines = difflib.unified_diff(
            before,
            self.after.splitlines(keepends=True),
            "/dev/null" if self.before is None else str(self.path),
            str(self.path),
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def apply(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            NeonupError: it cannot be written, or has changed meanwhile; it is as it was.
        """
        if _read(self.path) != self.before:
            raise NeonupError(
                f"{self.path} has changed meanwhile, and was left alone.", remedy="Run it again."
            )
        if self.before is None:
            files.create(self.path, self.after.encode(), mode=0o644)
        else:
            files.replace(self.path, self.after.encode())


def server(
    client: McpClient, project: Path, command: Sequence[str], arguments: Sequence[str]
) -> dict[str, Any]:
    """What a client's file says of the server. There is no secret in it.

    Args:
        client: whose file.
        project: the project's folder.
        command: how neonup is called.
        arguments: of ``neonup mcp``, beside ``--project``.
    """
    words = [*command, "mcp", "--project", str(project), *arguments]
    if client.folder is not None:
        words = [_relative(word, project, client.folder) for word in words]
    entry: dict[str, Any] = {**client.more, "command": words[0], "args": words[1:]}
    if home := os.environ.get("NEONUP_HOME"):  # without it, the database would not be found
        entry["env"] = {"NEONUP_HOME": home}
    return entry


def this_command() -> list[str]:
    """How the neonup that runs now is called from anywhere."""
    beside = Path(sys.executable).with_name("neonup")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "neonup"]


def plan(client: McpClient, path: Path, wanted: Mapping[str, Any]) -> InstallPlan:
    """What is to change in a client's file.

    Raises:
        NeonupError: it cannot be read, or not changed safely; the remedy has what to paste.
    """
    before = _read(path)
    toml = path.suffix == ".toml"
    try:
        text = edit.with_server(before or "", client.section, NAME, wanted, toml=toml)
    except edit.NotUnderstood as error:
        snippet = edit.as_text(client.section, NAME, wanted, toml=toml)
        raise NeonupError(
            f"{path} was left alone. {error.message}",
            remedy=f"Put this into it by hand:\n{snippet.rstrip()}",
        ) from None
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NeonupError(
            f"{path} was left alone. It is UTF-8, and the path of the project or of neonup is not.",
            remedy="Rename the folder.",
        ) from None
    return InstallPlan(client, path, before, text)


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise EnvFileError(f"{path} is not UTF-8.", remedy="Nothing was changed.") from None
    except OSError as error:
        raise EnvFileError(f"{path} cannot be read: {error.strerror}.") from None


def _relative(word: str, project: Path, folder: str) -> str:
    path = Path(word)
    if path.is_absolute() and path.is_relative_to(project):
        return str(Path(folder) / path.relative_to(project))
    return word
