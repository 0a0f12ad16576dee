"""The credentials that Neon's official command stores: they are read, and never written.

As ``neon`` 6.2 (npm) does it: ``credentials.json`` in ``--config-dir``, by default
``~/.config/neon``; ``profiles.json`` beside it names those of other profiles. A file has an API key
(``{"type": "api_key", "api_key": ...}``) or a session that ends (``access_token``, and
``expires_at`` in milliseconds since 1970). A session that has ended is renewed by that command
alone, since renewing it here would end the one that it knows.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import httpx

from neonup import SettingsError

DEFAULT = "DEFAULT"
_IN_KEYRING = "keyring"
_AGAIN = "Run neon auth, or set NEON_API_KEY."


def is_chosen(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a folder or profile of the official command."""
    return any(
        environ.get(name, "").strip()
        for name in ("NEON_CONFIG_DIR", "NEONCTL_CONFIG_DIR", "NEON_PROFILE")
    )


def credentials(environ: Mapping[str, str] = os.environ) -> StoredAuth | None:
    """The credentials of the official command; None if it has stored none.

    Args:
        environ: ``NEON_CONFIG_DIR`` and ``NEON_PROFILE`` are read, as that command reads them.

    Raises:
        SettingsError: it is damaged, has ended, is in the system's keyring or of an unknown kind,
            or the profile named is unknown.
    """
    path = _path(environ)
    if path is None or not path.exists():
        return None
    auth = StoredAuth(path)
    auth.token()
    return auth


class StoredAuth(httpx.Auth):
    """Adds the stored key or token, read again once it has ended: the official command may have
    renewed it.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path):
        self._path = path
        self._token = ""
        self._until = 0.0

    def token(self) -> str:
        """A key or token that has not ended.

        Raises:
            SettingsError: the stored one has ended, or cannot be used.
        """
        if time.time() >= self._until:
            self._token, self._until = _usable(self._path)
        return self._token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """As httpx calls it."""
        request.headers["authorization"] = f"Bearer {self.token()}"
        yield request


def _usable(path: Path) -> tuple[str, float]:
    """The key or token of a file, and until when it is good, in seconds since 1970."""
    content = _object(path)
    kind = content.get("type", "oauth")
    if kind == "api_key":
        return _text(path, content, "api_key"), float("inf")
    if kind != "oauth":
        raise _error("Neon's official command keeps a kind of sign-in that is not known.", path)
    token, until = _text(path, content, "access_token"), content.get("expires_at")
    if not isinstance(until, int | float) or time.time() >= until / 1000:
        raise _error(
            "The sign-in of Neon's official command has ended.",
            path,
            "Run any command of it, e.g. neon me, which renews it; or set NEON_API_KEY.",
        )
    return token, until / 1000


def _path(environ: Mapping[str, str]) -> Path | None:
    """The file of the profile in use."""
    profile = environ.get("NEON_PROFILE", "").strip() or DEFAULT
    listed = _existing("profiles.json", environ)
    if listed is None:
        if profile == DEFAULT:
            return _existing("credentials.json", environ)
        raise SettingsError(f"NEON_PROFILE names {profile!r}, and there are no profiles.")
    profiles = _object(listed).get("profiles")
    entry = profiles.get(profile) if isinstance(profiles, dict) else None
    named = entry.get("credentials") if isinstance(entry, dict) else None
    if named is None and profile == DEFAULT:
        return _existing("credentials.json", environ)
    if not isinstance(named, str) or not named.strip():
        raise _error(f"NEON_PROFILE names {profile!r}, which is no profile.", listed)
    if named == _IN_KEYRING:
        raise _error("Neon's official command keeps its sign-in in the system's keyring.", listed)
    return listed.parent / named


def _existing(name: str, environ: Mapping[str, str]) -> Path | None:
    """A file in the first of the command's folders that has it."""
    return next((path for folder in _folders(environ) if (path := folder / name).exists()), None)


def _folders(environ: Mapping[str, str]) -> list[Path]:
    """The folder named, else the present one and that of before the command was renamed."""
    for name in ("NEON_CONFIG_DIR", "NEONCTL_CONFIG_DIR"):
        if given := environ.get(name, "").strip():
            return [Path(given)]
    config = environ.get("XDG_CONFIG_HOME", "").strip()
    home = environ.get("HOME", "").strip() or environ.get("USERPROFILE", "").strip()
    if not config and not home:
        return []
    below = Path(config) if config else Path(home) / ".config"
    return [below / "neon", below / "neonctl"]


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise _error(
            f"A file of Neon's official command cannot be read: {error.strerror}.", path
        ) from None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _error("A file of Neon's official command is damaged.", path)
    return content


def _text(path: Path, content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise _error(f"A file of Neon's official command has no usable {name}.", path)
    return text


def _error(message: str, path: Path, remedy: str = _AGAIN) -> SettingsError:
    return SettingsError(message, checked=(str(path),), remedy=remedy)
