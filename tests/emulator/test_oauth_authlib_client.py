"""Authlib's client, as a web application with a secret uses it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client

from neonup_emulator.neon.oauth import clients as oauth_clients
from tests.emulator.oauth import READ, Person, field_of, root_of
from tests.emulator.serving import NeonServer

CALLBACK = "https://shop.example/callback"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_web_application(neon_server_here: NeonServer, person: Person, method: str) -> None:
    neon, root = neon_server_here.neon, root_of(neon_server_here)
    made, secret = oauth_clients.register(neon, "Shop", [CALLBACK])
    with OAuth2Client(
        client_id=made.id,
        client_secret=secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope=f"openid offline_access {READ}",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=f"{root}/oauth2/token",
    ) as client:
        verifier = generate_token(48)
        url, state = client.create_authorization_url(f"{root}/oauth2/auth", code_verifier=verifier)
        page = person.browser.get(url.replace("//localhost", "//127.0.0.1"))
        form = {"csrf": field_of(page, "csrf"), "decision": "allow"}
        back = person.browser.post(str(page.url), data=form).headers["location"]
        token = client.fetch_token(authorization_response=back, state=state, code_verifier=verifier)
        assert token["scope"] == f"openid offline_access {READ}"
        me = client.get(f"{root}/api/v2/users/me").json()
        assert me["email"] == person.email
        ahead = timedelta(hours=2)
        neon.clock.ahead += ahead
        try:
            assert client.get(f"{root}/api/v2/users/me").status_code == 401
            client.refresh_token(f"{root}/oauth2/token")
            assert client.get(f"{root}/api/v2/users/me").json()["email"] == person.email
            revoked = client.revoke_token(f"{root}/oauth2/revoke", token_type_hint="access_token")
            assert revoked.status_code == 200
            assert client.get(f"{root}/api/v2/users/me").status_code == 401
        finally:
            neon.clock.ahead -= ahead
