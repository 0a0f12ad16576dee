"""What visitors see of notes, with and without JavaScript."""

import pytest
from django.test import Client

from notes.models import Note

pytestmark = pytest.mark.django_db


def test_an_added_note_is_on_the_page(client: Client) -> None:
    page = client.post("/add", {"text": "Buy milk"}, follow=True)
    assert "Buy milk" in page.content.decode()
    assert "<html" in page.content.decode()


def test_htmx_gets_the_part_that_it_replaces(client: Client) -> None:
    part = client.post("/add", {"text": "Buy milk"}, headers={"HX-Request": "true"})
    assert part.content.decode().startswith('<main id="notes"')
    assert "Buy milk" in part.content.decode()


@pytest.mark.parametrize("text", ["", "x" * 501])
def test_a_note_of_the_wrong_length_is_refused(client: Client, text: str) -> None:
    page = client.post("/add", {"text": text})
    assert "errorlist" in page.content.decode()
    assert not Note.objects.exists()


def test_a_deleted_note_is_gone(client: Client) -> None:
    note = Note.objects.create(text="Buy milk")
    page = client.post(f"/{note.id}/delete", follow=True)
    assert "Buy milk" not in page.content.decode()
    assert client.post(f"/{note.id}/delete").status_code == 404


def test_htmx_comes_from_here(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "htmx" in page
    assert "https://" not in page
