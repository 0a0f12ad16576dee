"""The developer's own sign-in on this machine: where it is kept, and its use.

Below ``NEONUP_HOME/auth`` there is a file for each API that somebody is signed in at. It says with
which application and as whom; the tokens are in the system's keyring, or else in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from neonup import home as home_of
from neonup_cloud.oauth import files
from neonup_cloud.oauth.application import Application
from neonup_cloud.oauth.errors import AGAIN, SignInError
from neonup_cloud.oauth.keyrings import Keyring
from neonup_cloud.oauth.session import connected
from neonup_cloud.oauth.tokens import Tokens


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, and how.

    Args:
        email: as whom.
        application: with which application.
        keyring: the name of the keyring that has the tokens; None: they are in the file.
    """

    email: str
    application: Application
    keyring: str | None = None


class AccountStore:
    """A `TokenStore` for one API; `remember` makes it.

    Args:
        home: neonup's own folder.
        base: the base URL of the API.
        strict: False: a file that others can read is taken as well, so that it can be signed out.
    """

    def __init__(self, home: Path, base: str, *, strict: bool = True):
        digest = hashlib.sha256(base.encode()).hexdigest()[:12]
        name = re.sub(r"[^a-z0-9.-]", "_", urlsplit(base).hostname or "")
        self.path = home / "auth" / f"{name}-{digest}.json"
        self._keyring = Keyring(f"{home / 'auth'} {base}")
        self._strict = strict

    def signed_in(self) -> SignedIn | None:
        """Who is signed in; None if nobody is.

        Raises:
            SignInError: others can read the file, or it is damaged.
        """
        data = self._data()
        if data is None:
            return None
        keyring = data["keyring"]
        return SignedIn(
            str(data["email"]),
            Application(str(data["client_id"]), host=str(data["oauth_host"])),
            None if keyring is None else str(keyring),
        )

    def remember(self, email: str, application: Application, tokens: Tokens) -> None:
        """Keep a new sign-in: in the system's keyring where there is one that takes it."""
        keyring = self._keyring.keep(tokens)
        if keyring is None:
            self._keyring.forget()
        files.write(
            self.path,
            {
                "email": email,
                "client_id": application.client_id,
                "oauth_host": application.host,
                "keyring": keyring,
                "tokens": None if keyring else tokens.as_dict(),
            },
        )

    def load(self) -> Tokens | None:
        """As `TokenStore.load`."""
        data = self._data()
        if data is None:
            return None
        return self._keyring.load() if data["keyring"] else Tokens.from_dict(data["tokens"])

    def save(self, tokens: Tokens) -> None:
        """As `TokenStore.save`; where they are kept stays as it is."""
        data = self._data()
        if data is None:
            raise SignInError("Nobody is signed in at Neon any more.", remedy=AGAIN)
        if data["keyring"]:
            self._keyring.save(tokens)
        else:
            files.write(self.path, {**data, "tokens": tokens.as_dict()})

    def delete(self) -> None:
        """As `TokenStore.delete`."""
        with contextlib.suppress(SignInError):  # damaged, it may say anything
            data = self._data()
            if data and data["keyring"]:
                self._keyring.forget()
        self.path.unlink(missing_ok=True)

    def lock(self) -> contextlib.AbstractContextManager[object]:
        """As `TokenStore.lock`."""
        return files.locked(self.path.with_suffix(".lock"))

    def _data(self) -> dict[str, Any] | None:
        data = files.read(self.path, strict=self._strict)
        wanted = {"email", "client_id", "oauth_host", "keyring", "tokens"}
        if data is not None and not (isinstance(data, dict) and wanted <= data.keys()):
            raise SignInError(
                "What was kept of the sign-in at Neon is damaged.",
                checked=(str(self.path),),
                remedy=AGAIN,
            )
        return data


def session_auth(base: str, environ: Mapping[str, str] = os.environ) -> httpx.Auth | None:
    """The credentials of the person who is signed in here; None if nobody is. Reads one file.

    Args:
        base: the base URL of the API: a sign-in is good for the one that it was made for.
        environ: ``NEONUP_HOME`` is read.

    Raises:
        SignInError: others can read what was kept of the sign-in, or it is damaged.
    """
    store = AccountStore(home_of(environ), base)
    signed_in = store.signed_in()
    return None if signed_in is None else connected(signed_in.application, store)
