"""What a read-only statement may not call, though a read-only transaction would let it.

`neonup.postgres.effects` says which functions those are.
"""

from __future__ import annotations

from psycopg import AsyncConnection

from neonup import NeonupError, effects

_REMEDY = "Leave it out. What has effects needs `neonup mcp --allow-writes` and the tool write_sql."


async def check(connection: AsyncConnection, statement: str) -> None:
    """Refuse a statement whose text names a function with effects.

    Raises:
        NeonupError: it does.
    """
    if effects.hides_names(statement):
        raise NeonupError(
            'Names written as U&"..." are refused: what they call cannot be seen.',
            remedy="Write the name in plain quotes.",
        )
    cursor = await connection.execute(effects.QUESTION, effects.parameters(statement))
    if names := [name for (name,) in await cursor.fetchall()]:
        raise NeonupError(
            f"The statement was not run: {', '.join(names)} may have effects that a read-only "
            "transaction does not prevent.",
            checked=["functions that Postgres marks VOLATILE, anywhere in the text"],
            remedy=_REMEDY,
        )
