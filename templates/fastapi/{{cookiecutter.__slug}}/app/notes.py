"""Notes: list, add, delete."""

from collections.abc import Sequence
{% if cookiecutter.orm == "SQLAlchemy" %}
from datetime import datetime
{% endif %}
{% if cookiecutter.orm == "SQLAlchemy" %}
from typing import Annotated
{% endif %}

from fastapi import APIRouter, HTTPException, status
{% if cookiecutter.orm == "SQLModel" %}
from sqlmodel import col, select
{% else %}
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import select
{% endif %}

from app.database import Session
{% if cookiecutter.orm == "SQLModel" %}
from app.models import Note, NoteIn, NoteOut
{% else %}
from app.models import Note
{% endif %}

router = APIRouter(prefix="/notes", tags=["notes"])

{% if cookiecutter.orm == "SQLAlchemy" %}

class NoteIn(BaseModel):
    """What a client sends."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class NoteOut(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    text: str
    created_at: datetime

{% endif %}

@router.get("", response_model=list[NoteOut])
async def newest(session: Session) -> Sequence[Note]:
    """The newest notes."""
{% if cookiecutter.orm == "SQLModel" %}
    notes = await session.scalars(select(Note).order_by(col(Note.id).desc()).limit(100))
{% else %}
    notes = await session.scalars(select(Note).order_by(Note.id.desc()).limit(100))
{% endif %}
    return notes.all()


@router.post("", response_model=NoteOut, status_code=status.HTTP_201_CREATED)
async def add(note: NoteIn, session: Session) -> Note:
    """Add a note."""
    added = Note(text=note.text)
    session.add(added)
    await session.commit()
    await session.refresh(added)
    return added


@router.delete("/{note_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete(note_id: int, session: Session) -> None:
    """Delete a note."""
    note = await session.get(Note, note_id)
    if note is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such note.")
    await session.delete(note)
    await session.commit()
