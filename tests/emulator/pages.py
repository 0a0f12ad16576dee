"""The console's pages, without a browser: who is signed in, and forms as a browser sends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests import asking
from tests.emulator.serving import NeonServer
from tests.sessions import PageSession


class Pages(PageSession):
    """The console."""

    form_page = "/sign-in"


@contextmanager
def session(server: NeonServer, *, key: str | None = None) -> Iterator[Pages]:
    """Signed in by the printed link, or as whose key it is."""
    root = server.base.removesuffix("/api/v2")
    with asking.client(base_url=root, follow_redirects=True, timeout=60) as client:
        pages = Pages(client)
        if key is None:
            pages.open("/sign-in", token=server.neon.console_token)
        else:
            pages.send("/sign-in", key=key)
        yield pages
