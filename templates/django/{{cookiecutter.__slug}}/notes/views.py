"""The page with the notes: whole, or the part of it that htmx replaces."""

from django.forms import ModelForm, modelform_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from notes.models import Note

NoteForm = modelform_factory(Note, fields=["text"])


class Request(HttpRequest):
    """A request, as django_htmx's middleware hands it on."""

    htmx: HtmxDetails


@require_safe
def index(request: Request) -> HttpResponse:
    """The form and the newest notes."""
    return _show(request, NoteForm())


@require_POST
def add(request: Request) -> HttpResponse:
    """Add a note."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _show(request, form)
    form.save()
    return _show(request, NoteForm()) if request.htmx else redirect("notes:index")


@require_POST
def delete(request: Request, note_id: int) -> HttpResponse:
    """Delete a note."""
    get_object_or_404(Note, id=note_id).delete()
    return _show(request, NoteForm()) if request.htmx else redirect("notes:index")


def _show(request: Request, form: "ModelForm[Note]") -> HttpResponse:
    template = "notes/notes.html" if request.htmx else "notes/index.html"
    return render(request, template, {"form": form, "notes": Note.objects.all()[:100]})
