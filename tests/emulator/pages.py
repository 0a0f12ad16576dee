"""The console's pages, without a browser: who is signed in, and forms as a browser sends them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.emulator.serving import NeonServer


class Pages:
    """A browser's session, with its cookies.

    Args:
        client: asks the server's root.
    """

    def __init__(self, client: httpx.Client):
        self.client = client

    def open(self, path: str, **parameters: str) -> httpx.Response:
        """A page, behind all redirections."""
        return self.client.get(path, params=parameters or None)

    def read(self, path: str, **parameters: str) -> str:
        """The content of a page that is there."""
        answer = self.open(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str) -> httpx.Response:
        """A form with the session's token, and what comes after."""
        return self.client.post(path, data={"csrf": self.token(), **fields})

    def done(self, path: str, **fields: str) -> str:
        """The page after a form that was carried out."""
        answer = self.send(path, **fields)
        assert answer.status_code == 200, answer.text
        assert 'class="error"' not in answer.text, answer.text
        return answer.text

    def token(self) -> str:
        """What forms of this session carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get("/sign-in").text)
        assert found
        return found[1]


@contextmanager
def session(server: NeonServer, *, key: str | None = None) -> Iterator[Pages]:
    """Signed in by the printed link, or as whose key it is."""
    root = server.base.removesuffix("/api/v2")
    with httpx.Client(base_url=root, follow_redirects=True, timeout=60) as client:
        pages = Pages(client)
        if key is None:
            pages.open("/sign-in", token=server.neon.console_token)
        else:
            pages.send("/sign-in", key=key)
        yield pages
