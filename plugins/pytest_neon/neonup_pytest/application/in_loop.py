"""What lives in an event loop, as generators; the plugins for loops make fixtures of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.ext.asyncio import AsyncEngine

    from neonup import Database


async def connection(
    request: pytest.FixtureRequest, neon_db: Database
) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A psycopg connection."""
    from neonup_pytest import state
    from neonup_pytest.application import drivers

    rolled_back = state.of(request.config).rolls_back(request.node)
    async with drivers.async_connection(neon_db.url, rolled_back=rolled_back) as psycopg_connection:
        yield psycopg_connection


async def engine(neon_db: Database) -> AsyncIterator[AsyncEngine]:
    """A SQLAlchemy engine with one connection, whose work is rolled back."""
    from neonup_pytest.application import drivers

    sqlalchemy_engine = drivers.async_engine(neon_db.url, rolled_back=True)
    yield sqlalchemy_engine
    await sqlalchemy_engine.dispose()


GENERATORS: dict[str, Callable[..., AsyncIterator[object]]] = {
    "connection": connection,
    "engine": engine,
}
