"""Signing in from the command line, by way of the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from neonup_cloud.oauth import connect
from neonup_cloud.oauth.application import Application
from neonup_cloud.oauth.loopback import listening
from neonup_cloud.oauth.tokens import Tokens


def log_in(
    application: Application,
    show: Callable[[str], None],
    *,
    port: int = 0,
    timeout: float = 300.0,
) -> Tokens:
    """Let somebody sign in, and wait for it.

    Args:
        application: a public one.
        show: brings the address that it is given to a browser.
        port: of this machine, where the browser comes back to; 0: a free one.
        timeout: seconds to wait.

    Raises:
        SignInError: nobody did, or the answer is not usable.
        NeonError: the OAuth server cannot be reached, or used.
    """
    from neonup_cloud.oauth.protocol import OAuthProtocol

    with listening(port) as loopback:
        application = replace(application, redirect_uri=loopback.redirect_uri)
        with OAuthProtocol(application) as protocol:
            pending = connect.new_pending()
            show(protocol.authorization_url(**pending.as_dict()))
            code = connect.answered(loopback.wait(timeout), pending)
            return protocol.exchange(code, nonce=pending.nonce, verifier=pending.verifier)
