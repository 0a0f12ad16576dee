"""Bodies of requests about keys and permissions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from neonup_emulator.neon.requests.fields import Email, Id


class CreateKey(Struct):
    """Body of `createApiKey`."""

    key_name: Annotated[str, Meta(min_length=1, max_length=64)]


class CreateOrgKey(CreateKey):
    """Body of `createOrgApiKey`."""

    project_id: Id | None = None


class GrantPermission(Struct):
    """Body of `grantPermissionToProject`."""

    email: Email


class RevokePermission(Struct):
    """What neon-api sends to `revokePermissionFromProject`."""

    permission_id: str
