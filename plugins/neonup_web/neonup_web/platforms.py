"""What an application's connections cannot do on every platform; see `neonup.platforms`."""

from __future__ import annotations

from neonup.plugin.platforms import LINUX, MACOS, Capability

CAPABILITIES = (
    ANY_LOOP := Capability(
        "`neon.connection` of FastAPI takes asyncio's own event loop",
        (LINUX, MACOS),
        "Let the server use another loop: uvicorn --loop asyncio:SelectorEventLoop (0.36 or "
        'newer); or use neon.session with Neon(driver="asyncpg").',
        cannot="psycopg cannot connect on asyncio's own event loop (ProactorEventLoop)",
    ),
)
"""What an application's connections can do."""
