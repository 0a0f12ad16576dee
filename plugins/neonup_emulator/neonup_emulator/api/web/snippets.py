"""How each driver and framework connects: the form of URL that it takes, and code that reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from neonup import drivers, urls

_PSYCOPG = """\
import os

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    row = connection.execute("SELECT version()").fetchone()
    print(row[0])
"""
_ASYNCPG = """\
import asyncio
import os

import asyncpg


async def main():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    print(await connection.fetchval("SELECT version()"))
    await connection.close()


asyncio.run(main())
"""
_SQLALCHEMY = """\
import os

from sqlalchemy import create_engine, text

# Tries a connection before it is used: a suspended compute drops idle ones.
engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)

with engine.connect() as connection:
    print(connection.scalar(text("SELECT version()")))

engine.dispose()
"""
_SQLALCHEMY_ASYNC = """\
import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)


async def main():
    async with engine.connect() as connection:
        print(await connection.scalar(text("SELECT version()")))
    await engine.dispose()


asyncio.run(main())
"""
_DJANGO = """\
# settings.py
import os

from neonup import drivers

DATABASES = {"default": drivers.django(os.environ["DATABASE_URL"])}
"""
_FASTAPI = """\
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as found:
        yield found


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def version(session: Annotated[AsyncSession, Depends(session)]) -> dict[str, str]:
    return {"version": await session.scalar(text("SELECT version()"))}
"""
_PG = """\
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const { rows } = await pool.query("SELECT version()");
console.log(rows[0].version);
await pool.end();
"""
_POSTGRES_JS = """\
import postgres from "postgres";

const sql = postgres(process.env.DATABASE_URL);
const [row] = await sql`SELECT version()`;
console.log(row.version);
await sql.end();
"""
_PRISMA = """\
// prisma/schema.prisma
generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
"""
_SERVERLESS = """\
import {{ neon, neonConfig }} from "@neondatabase/serverless";

// At Neon these three lines are left out. The last two are for Pool and Client.
neonConfig.fetchEndpoint = "{base}/sql";
neonConfig.wsProxy = "{server}/v2";
neonConfig.useSecureWebSocket = {secure};

const sql = neon(process.env.DATABASE_URL);
const [row] = await sql`SELECT version()`;
console.log(row.version);
"""
_CA = (
    "Node checks the certificate of the server. NODE_EXTRA_CA_CERTS must name the file of the "
    "authority of this machine, as neonup serve prints it."
)


@dataclass(frozen=True)
class Snippet:
    """How one driver or framework connects.

    Args:
        name: in addresses.
        label: what people call it.
        install: the command that installs it; empty: none.
        code: reads the URL from the environment; it holds no secret. Where `addressed` is set,
            `{base}` stands for the address of this server and `{server}` for its host and port.
        form: of the URL in `.env`, made from libpq's.
        note: what has to be known.
    """

    name: str
    label: str
    install: str
    code: str
    form: Callable[[str], str] = drivers.libpq
    note: str = ""
    addressed: bool = False

    def text(self, base: str) -> str:
        """The code, with this server's address where it needs one."""
        if not self.addressed:
            return self.code
        parts = urlsplit(base)
        secure = "true" if parts.scheme == "https" else "false"
        return self.code.format(base=base, server=parts.netloc, secure=secure)


def _without_channel_binding(url: str) -> str:
    parts = urls.parse(url)
    known = {name: value for name, value in parts.parameters.items() if name != "channel_binding"}
    return str(parts.with_parameters(known))


ALL = (
    Snippet("env", ".env", "", "", note="For everything that reads .env; keep it out of git."),
    Snippet("psql", "psql", "", 'psql "$DATABASE_URL"\n'),
    Snippet("psycopg", "psycopg", 'pip install "psycopg[binary]"', _PSYCOPG),
    Snippet(
        "asyncpg",
        "asyncpg",
        "pip install asyncpg",
        _ASYNCPG,
        drivers.asyncpg,
        "asyncpg does not know channel_binding: the URL comes without it.",
    ),
    Snippet(
        "sqlalchemy",
        "SQLAlchemy",
        'pip install sqlalchemy "psycopg[binary]"',
        _SQLALCHEMY,
        drivers.sqlalchemy_url,
    ),
    Snippet(
        "sqlalchemy-async",
        "SQLAlchemy async",
        "pip install sqlalchemy asyncpg greenlet",
        _SQLALCHEMY_ASYNC,
        lambda url: drivers.sqlalchemy_url(url, driver="asyncpg"),
    ),
    Snippet("django", "Django", 'pip install neonup django "psycopg[binary]"', _DJANGO),
    Snippet(
        "fastapi",
        "FastAPI",
        "pip install fastapi uvicorn sqlalchemy asyncpg greenlet",
        _FASTAPI,
        lambda url: drivers.sqlalchemy_url(url, driver="asyncpg"),
    ),
    Snippet("node-postgres", "node-postgres", "npm install pg", _PG, note=_CA),
    Snippet(
        "postgres-js",
        "postgres.js",
        "npm install postgres",
        _POSTGRES_JS,
        _without_channel_binding,
        f"postgres.js does not know channel_binding: the URL comes without it. {_CA}",
    ),
    Snippet("prisma", "Prisma", "npm install prisma @prisma/client", _PRISMA),
    Snippet(
        "serverless",
        "@neondatabase/serverless",
        "npm install @neondatabase/serverless",
        _SERVERLESS,
        note="Over HTTP, or over a WebSocket, through this server. Before version 22 Node has no "
        "WebSocket of its own: set neonConfig.webSocketConstructor to that of the package ws.",
        addressed=True,
    ),
)
"""In the order of the page."""

BY_NAME = {snippet.name: snippet for snippet in ALL}
