"""The system's keyring: macOS's Keychain, the Secret Service of Linux desktops, Windows's vault.

The library ``keyring`` finds it; its configuration and ``PYTHON_KEYRING_BACKEND`` choose another.
"""

from __future__ import annotations

import json
from typing import Any

from neonup import extras
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
        found = _usable()
        if found is None:
            return None
        content = json.dumps(tokens.as_dict())
        try:
            found.set_password(_SERVICE, self._name, content)
            kept = found.get_password(_SERVICE, self._name) == content
        except Exception:  # backends raise errors of their own: of D-Bus, of Windows
            return None
        return str(found.name) if kept else None

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
        found = _usable()
        if found is None:
            return
        try:
            if found.get_password(_SERVICE, self._name) is not None:
                found.delete_password(_SERVICE, self._name)
        except Exception:  # as above; what is left there was revoked
            return


def _library() -> Any:
    try:
        import keyring
    except ImportError:
        raise SignInError(
            "The sign-in at Neon is in the system's keyring, which takes a library to read.",
            remedy=extras.install("auth"),
        ) from None
    return keyring


def _usable() -> Any:
    """The keyring of this machine; None if there is none."""
    try:
        import keyring

        found = keyring.get_keyring()
        return found if found.priority > 0 else None  # those that fail, or keep nothing, have none
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
