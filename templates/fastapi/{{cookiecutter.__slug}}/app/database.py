"""The database, found at the start, or made where this is development."""

from typing import Annotated

from fastapi import Depends
from fastapi_neon import Neon
from sqlalchemy.ext.asyncio import AsyncSession

neon = Neon({% if cookiecutter.driver == "asyncpg" %}driver="asyncpg"{% endif %})

Session = Annotated[AsyncSession, Depends(neon.session)]
"""A request's session; what the request does not commit is rolled back."""
