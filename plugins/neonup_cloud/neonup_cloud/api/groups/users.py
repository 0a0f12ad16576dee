"""``client.users``."""

from __future__ import annotations

from typing import Generic

from neonup.plugin.http import Call
from neonup_cloud.api.answers import User
from neonup_cloud.api.groups.group import ApiGroup, S, operation


class Users(ApiGroup[S], Generic[S]):
    """Who asks."""

    @operation
    def me(self) -> Call[User]:
        """Whom the key belongs to.

        Raises:
            NotFound: the key is an organization's, which has no user.
        """
        return (yield from self.api.send("GET", "/users/me", User))
