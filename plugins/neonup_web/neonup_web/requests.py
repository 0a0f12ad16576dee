"""Who may see the page: a program or a browser on this machine, and no web site through it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import neonup

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local(client: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from this machine and is meant for it.

    A tunnel or a proxy on this machine connects from it too, but says for whom, or names another
    host; so does a page elsewhere whose name is made to point here. A page of another site may
    lead a person here, but neither read nor embed the answer.

    Args:
        client: the address of who is connected, as the server knows it; None: unknown.
        headers: of the request; the case of their names does not matter.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    if client is None or not neonup.urls.is_loopback(client):
        return False
    if any(name in headers for name in _FORWARDED) or not _is_this_machine(headers.get("host", "")):
        return False
    if headers.get("sec-fetch-dest", "document") not in {"document", "empty"}:
        return False
    from_elsewhere = headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    leads_here = headers.get("sec-fetch-mode") == "navigate"
    return "origin" not in headers and (leads_here or not from_elsewhere)


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return neonup.urls.is_loopback(name) or name.endswith(".localhost")
