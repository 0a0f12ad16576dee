"""The system's keyring: macOS's Keychain, the Secret Service of Linux desktops, Windows's vault.

The library ``keyring`` finds it; its configuration and ``PYTHON_KEYRING_BACKEND`` choose another.
"""

from __future__ import annotations

import json
from typing import Any

from neonup.plugin import commands
from neonup_cloud.oauth.errors import AGAIN, SignInError
from neonup_cloud.oauth.tokens import Tokens

_SERVICE = "neonup"


class Keyring:
    """One entry in the keyring.

    Args:
        name: the entry's.
    """

    def __init__(self, name: str):
        self._name = name

    def keep(self, tokens: Tokens) -> str | None:
        """Keep tokens in it, if there is one that takes them and gives them back.

        Returns:
            its name; None if there is none.
        """
        keyring = _usable()
        if keyring is None:
            return None
        content = json.dumps(tokens.as_dict())
        try:
            keyring.set_password(_SERVICE, self._name, content)
            stored = keyring.get_password(_SERVICE, self._name) == content
        except Exception:  # backends raise errors of their own: of D-Bus, of Windows
            return None
        return str(keyring.name) if stored else None

    def load(self) -> Tokens | None:
        """The tokens in it; None: there is no such entry.

        Raises:
            SignInError: it is locked or not there.
        """
        try:
            content = _library().get_password(_SERVICE, self._name)
        except Exception as error:  # as above
            raise _unreadable(error) from None
        if content is None:
            return None
        try:
            return Tokens.from_dict(json.loads(content))
        except ValueError:
            return Tokens.from_dict(None)

    def save(self, tokens: Tokens) -> None:
        """Keep other tokens in it.

        Raises:
            SignInError: it is locked or not there.
        """
        try:
            _library().set_password(_SERVICE, self._name, json.dumps(tokens.as_dict()))
        except Exception as error:  # as above
            raise _unreadable(error) from None

    def forget(self) -> None:
        """Delete the entry, if there is one that can be deleted."""
        keyring = _usable()
        if keyring is None:
            return
        try:
            if keyring.get_password(_SERVICE, self._name) is not None:
                keyring.delete_password(_SERVICE, self._name)
        except Exception:  # as above; what is left there was revoked
            return


def _library() -> Any:
    try:
        import keyring
    except ImportError:
        raise SignInError(
            "The sign-in at Neon is in the system's keyring, which takes a library to read.",
            remedy=commands.install("cloud"),
        ) from None
    return keyring


def _usable() -> Any:
    """The usable keyring of this machine; None if it has none."""
    try:
        import keyring

        backend = keyring.get_keyring()
        # Backends that fail, or store nothing, have a priority of 0 or less.
        return backend if backend.priority > 0 else None
    except Exception:  # as above
        return None


def _unreadable(error: Exception) -> SignInError:
    if isinstance(error, SignInError):
        return error
    return SignInError(
        "The system's keyring, which has the sign-in at Neon, does not answer.",
        checked=(type(error).__name__,),
        remedy=f"Unlock it and try again. Or {AGAIN[0].lower()}{AGAIN[1:]}",
    )
