"""Signing in at Neon with OAuth: for the command line, and for web applications.

A web application registers itself at Neon, which gives it a client id and a secret, and then

    application = Application(client_id, redirect_uri="https://...", client_secret=secret)
    url, pending = connect.begin(application)        # send the user to url, keep pending
    tokens = connect.complete(application, answered_url, pending)
    connect.keep(application, store, tokens)
    with NeonClient(auth=connected(application, store)) as neon: ...
    connect.disconnect(application, store)

`TokenStore` is what it keeps its tokens in. Everything here blocks, except for what `SessionAuth`
does for an asynchronous client. What it takes is in the extra ``neonup[cloud]``.
"""

from __future__ import annotations

from neonup_cloud.oauth import connect, scopes
from neonup_cloud.oauth.account import session_auth
from neonup_cloud.oauth.application import Application
from neonup_cloud.oauth.connect import PendingSignIn
from neonup_cloud.oauth.errors import ConsentDenied, SignInEnded, SignInError
from neonup_cloud.oauth.files import FileTokens
from neonup_cloud.oauth.session import SessionAuth, connected
from neonup_cloud.oauth.tokens import Tokens, TokenStore

__all__ = [
    "Application",
    "ConsentDenied",
    "FileTokens",
    "PendingSignIn",
    "SessionAuth",
    "SignInEnded",
    "SignInError",
    "TokenStore",
    "Tokens",
    "connect",
    "connected",
    "scopes",
    "session_auth",
]
