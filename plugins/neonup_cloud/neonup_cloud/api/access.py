"""The address of Neon's API and the caller's credentials: arguments, or else the environment."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping

import httpx

from neonup import SettingsError
from neonup.plugin.http import validation

BASE = "https://console.neon.tech/api/v2"


class KeyAuth(httpx.Auth):
    """Adds an API key or access token to each request."""

    def __init__(self, key: str):
        self._header = f"Bearer {key}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """As httpx calls it."""
        request.headers["authorization"] = self._header
        yield request


def base_url(given: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """Where the API is: as given, else ``NEON_API_HOST`` (as Neon's own clients read it), else
    Neon's own.

    Raises:
        SettingsError: it cannot be used.
    """
    source = "base_url" if given else "NEON_API_HOST"
    return validation.base_url(
        given or environ.get("NEON_API_HOST") or BASE, "Neon's API", example=BASE, checked=source
    )


def org_id(given: str | None = None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The organization that is meant: as given, else ``NEON_ORG_ID``, else None."""
    return (given or environ.get("NEON_ORG_ID") or "").strip() or None


def project_id(given: str | None = None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The project that is meant: as given, else ``NEON_PROJECT_ID``, else None."""
    return (given or environ.get("NEON_PROJECT_ID") or "").strip() or None


def auth(
    key: str | None = None, environ: Mapping[str, str] = os.environ, *, base: str = BASE
) -> httpx.Auth:
    """The credentials of requests: the given key, else ``NEON_API_KEY``, else who is signed in with
    ``neonup auth login``, else with Neon's official command.

    What that command keeps goes to Neon's own API only, unless its folder or profile is named
    (``NEON_CONFIG_DIR``, ``NEON_PROFILE``): it does not say which API it is for.

    Args:
        base: the base URL of the API, as `base_url` gives it.

    Raises:
        SettingsError: there is no key, or it is not a valid one.
        SignInError: what is kept of a sign-in cannot be used.
    """
    api_key = (key or environ.get("NEON_API_KEY") or "").strip()
    if api_key:
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise SettingsError("The key for Neon's API has characters that no key has.")
        return KeyAuth(api_key)

    from neonup_cloud.api import stored
    from neonup_cloud.oauth.account import session_auth

    if (signed_in := session_auth(base, environ)) is not None:
        return signed_in
    meant = base == BASE or stored.is_chosen(environ)
    if meant and (stored_auth := stored.credentials(environ)) is not None:
        return stored_auth
    raise SettingsError(
        "No key for Neon's API was found.",
        checked=("NEON_API_KEY", "neonup auth status", "the sign-in of Neon's official command"),
        remedy="Set NEON_API_KEY, or sign in: neonup auth login",
    )
