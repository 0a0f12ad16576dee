"""What can go wrong about signing in. A service that fails is `neonup_cloud.api.errors.Unavailable`."""

from __future__ import annotations

from neonup import NeonupError

AGAIN = "Sign in again: neonup auth login"


class SignInError(NeonupError):
    """Nobody was signed in, or what was kept of a sign-in cannot be used."""

    code = "sign_in"


class ConsentDenied(SignInError):
    """The user did not allow what was asked for."""

    code = "consent_denied"


class SignInEnded(SignInError):
    """The sign-in was revoked, or was not used for too long."""

    code = "sign_in_ended"


def word(error: object) -> str:
    """An error code of a server, fit to be shown."""
    return "".join(c for c in str(error) if c.isascii() and (c.isalnum() or c == "_"))[:60]
