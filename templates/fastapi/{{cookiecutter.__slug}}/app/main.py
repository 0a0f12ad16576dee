"""The application: what is served where."""

from fastapi import FastAPI

from app import notes
from app.database import neon

app = FastAPI(title="{{ cookiecutter.project_name }}", lifespan=neon.lifespan)
app.include_router(notes.router)
neon.install(app)
