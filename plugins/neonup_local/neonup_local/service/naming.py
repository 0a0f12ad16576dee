"""The names of project databases, and what their URLs say."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from neonup_local.engine import template


def project_id(project: Path, env_file: Path, key: str) -> str:
    """The id of the database of one variable in one file of one project: always the same.

    A readable part of the folder's name, and a hash that tells two folders of that name apart.
    """
    folder = project.resolve()
    text = "\0".join((os.fspath(folder), env_file.name, key))
    slug = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:20].strip("-")
    mark = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{slug or 'project'}-{mark}"


def secrets_of(url: str) -> tuple[str | None, int | None]:
    """``neondb_owner``'s password and the port in a URL; None for what it does not have."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None, None
    ours = parts.username == template.OWNER and parts.password
    return (unquote(ours) if ours else None), port


def is_plain(url: str) -> bool:
    """Whether it has a password and names the role and the database that a new one has."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    names = (parts.username, parts.path.strip("/"))
    return parts.password is not None and names == (template.OWNER, template.DATABASE)


def with_port(url: str, port: int) -> str:
    """The URL with another port, everything else as it is."""
    head, at, tail = url.rpartition("@")
    return head + at + re.sub(r"^([^/?#]*?)(:\d+)?(?=[/?#]|$)", rf"\g<1>:{port}", tail, count=1)
