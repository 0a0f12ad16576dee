"""What alembic runs; it goes past a pooler, where there is one."""

{% if cookiecutter.driver == "asyncpg" %}
import asyncio

import neonup
from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
{% else %}
import neonup
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
{% endif %}
{% if cookiecutter.orm == "SQLModel" %}
from sqlmodel import SQLModel

import app.models  # noqa: F401 - registers the tables
{% else %}

from app.models import Base
{% endif %}

{% set metadata = "SQLModel.metadata" if cookiecutter.orm == "SQLModel" else "Base.metadata" %}
{% if cookiecutter.driver == "asyncpg" %}

def migrate(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    context.configure(connection=connection, target_metadata={{ metadata }})
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    """Connect, and migrate."""
    url = neonup.sqlalchemy_url(driver="asyncpg", direct=True)
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)


asyncio.run(main())
{% else %}
engine = create_engine(neonup.sqlalchemy_url(direct=True), poolclass=NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata={{ metadata }})
    with context.begin_transaction():
        context.run_migrations()
{% endif %}
