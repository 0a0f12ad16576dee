"""Notes: list, add, delete."""

from datetime import datetime
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from notes.models import Note

router = Router(tags=["notes"])


class NoteIn(Schema):
    """What a client sends."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class NoteOut(Schema):
    """What a client gets."""

    id: int
    text: str
    created_at: datetime


@router.get("", response=list[NoteOut])
def newest(request: HttpRequest) -> QuerySet[Note]:
    """The newest notes."""
    return Note.objects.all()[:100]


@router.post("", response={201: NoteOut})
def add(request: HttpRequest, note: NoteIn) -> Status[Note]:
    """Add a note."""
    return Status(201, Note.objects.create(text=note.text))


@router.delete("/{note_id}", response={204: None})
def delete(request: HttpRequest, note_id: int) -> Status[None]:
    """Delete a note."""
    get_object_or_404(Note, id=note_id).delete()
    return Status(204, None)
