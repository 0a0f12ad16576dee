"""Connection URLs: pooled and direct forms, and a form that each driver takes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_POOLER = "-pooler"


def mask(text: str) -> str:
    """``text`` with the password of every URL in it replaced by ``***``."""
    return re.sub(r"(\w[\w+.-]*://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)


def is_pooled(url: str) -> bool:
    """Whether the host is a Neon pooler's."""
    host = urlsplit(url).hostname or ""
    return host.split(".")[0].endswith(_POOLER)


def direct(url: str) -> str:
    """The URL past the pooler; ``url`` itself where there is none."""
    if not is_pooled(url):
        return url
    head, at, tail = url.rpartition("@")
    return head + at + tail.replace(_POOLER, "", 1)
