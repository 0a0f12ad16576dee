"""The form of Neon API v2's refusals, which other parts of the server give as well."""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import Headers
from starlette.types import Scope

from neonup_pages import guard

BASE = "/api/v2"
_ID = re.compile(r"[\x21-\x7e]{1,128}")


def is_v2(scope: Scope) -> bool:
    """Whether a request is one of Neon API v2."""
    path = str(scope["path"])
    return path == BASE or path.startswith(f"{BASE}/")


def content(scope: Scope, message: str, code: str = "") -> dict[str, str]:
    """What is answered; the request's id is the client's own, where it sends one."""
    id = Headers(scope=scope).get("x-request-id", "")  # noqa: A001
    known = id if _ID.fullmatch(id) else str(uuid.uuid4())
    return {"request_id": known, "code": code, "message": message}


def forbidden(scope: Scope, reason: str) -> dict[str, str]:
    """What a request is answered that `neonup_pages.guard` refuses."""
    return content(scope, reason) if is_v2(scope) else guard.plain(scope, reason)
