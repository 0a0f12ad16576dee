"""A session in one of our servers, without a browser: pages, and forms as they are sent."""

from __future__ import annotations

import re

import httpx


class PageSession:
    """A browser's session, with its cookies.

    Args:
        client: asks the server's root, and follows redirections.
    """

    form_page = "/"
    """A page with a form, of which the token is taken."""

    def __init__(self, client: httpx.Client):
        self.client = client

    def address(self, path: str) -> str:
        """The path that is meant."""
        return path

    def open(self, path: str, **parameters: str) -> httpx.Response:
        """A page, behind all redirections."""
        return self.client.get(self.address(path), params=parameters or None)

    def read(self, path: str, **parameters: str) -> str:
        """The content of a page that is there."""
        answer = self.open(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str) -> httpx.Response:
        """A form with the session's token, and what comes after."""
        return self.client.post(self.address(path), data={"csrf": self.token(), **fields})

    def done(self, path: str, **fields: str) -> str:
        """The page after a form that was carried out."""
        answer = self.send(path, **fields)
        assert answer.status_code == 200, answer.text
        assert 'class="error"' not in answer.text, answer.text
        return answer.text

    def token(self) -> str:
        """What forms of this session carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.open(self.form_page).text)
        assert found
        return found[1]
