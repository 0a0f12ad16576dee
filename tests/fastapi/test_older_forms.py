"""An application as one writes it before FastAPI 0.93 and 0.95: without `lifespan`, `Annotated`.

`make lowest` runs this with FastAPI 0.79 and its Starlette.
"""

from __future__ import annotations

from tests.fastapi.served import UVICORN, serving
from tests.project import Project

MAIN = """
from fastapi import Depends, FastAPI
from fastapi_neon import Neon
from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

neon = Neon()
app = FastAPI()
app.router.lifespan_context = neon.lifespan
neon.install(app)

NAME = "SELECT current_database()"


@app.get("/")
async def name(connection: AsyncConnection = Depends(neon.connection)):
    return (await (await connection.execute(NAME)).fetchone())[0]


@app.get("/session")
async def by_session(session: AsyncSession = Depends(neon.session)):
    return await session.scalar(text(NAME))


@app.get("/sync")
def by_sync_session(session: Session = Depends(neon.sync_session)):
    return session.scalar(text(NAME))
"""


def test_an_application_in_older_forms(project: Project) -> None:
    (project.folder / "main.py").write_text(MAIN)
    with serving(project, UVICORN, NEONUP_ENV="development") as server:
        assert "created a local Postgres" in server.said
        name = project.url.rpartition("/")[2]
        assert [server.answer(path) for path in ("/", "/session", "/sync")] == [name] * 3
        assert server.answer("/_neon/health") == {"status": "ok"}
        page = server.get("/_neon", accept="text/html")
        assert page.status_code == 200, page.text
        assert name in page.text
        project.ok("stop")
        assert server.answer() == name
    assert "Traceback" not in server.said
