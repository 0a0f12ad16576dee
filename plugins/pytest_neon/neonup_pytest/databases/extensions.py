"""The extensions of the setting ``extensions`` in the tests' templates."""

from __future__ import annotations

from collections.abc import Iterable

from neonup import EngineError
from neonup.plugin.postgres import StatementFailed
from neonup_pytest.databases import statements
from neonup_pytest.servers.admin import Admin, identifier

_AS_OWNER = """
DO $$
BEGIN
    SET LOCAL ROLE {owner};
    {create};
EXCEPTION WHEN insufficient_privilege THEN
    RESET ROLE;
    {create};
END
$$"""


def create(admin: Admin, name: str, extensions: Iterable[str], owner: str) -> None:
    """Create extensions in a database, and what these need.

    They are the owner's, who may then alter them, unless only a superuser may create them.

    Raises:
        EngineError: the server has no such extension, or its role may not create it.
    """
    for extension in extensions:
        create = f"CREATE EXTENSION IF NOT EXISTS {identifier(extension)} CASCADE"
        try:
            statements.run_inside(
                admin, name, _AS_OWNER.format(owner=identifier(owner), create=create)
            )
        except StatementFailed as error:
            raise EngineError(
                f"The extension {extension!r} cannot be created for the tests: {error.message}",
                remedy="Correct the setting extensions, or install it for the tests' Postgres.",
            ) from None
