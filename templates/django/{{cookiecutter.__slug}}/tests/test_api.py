"""What clients see of notes."""

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def texts(client: Client) -> list[str]:
    return [note["text"] for note in client.get("/api/notes").json()]


def add(client: Client, text: str) -> Any:
    return client.post("/api/notes", {"text": text}, content_type="application/json")


def test_an_added_note_is_listed_first(client: Client) -> None:
    for text in ("Buy milk", "Water the plants"):
        answer = add(client, text)
        assert answer.status_code == 201
        assert answer.json()["text"] == text
    assert texts(client) == ["Water the plants", "Buy milk"]


def test_a_deleted_note_is_gone(client: Client) -> None:
    note = add(client, "Buy milk").json()
    assert client.delete(f"/api/notes/{note['id']}").status_code == 204
    assert texts(client) == []
    assert client.delete(f"/api/notes/{note['id']}").status_code == 404


@pytest.mark.parametrize("text", ["", "x" * 501])
def test_a_note_of_the_wrong_length_is_refused(client: Client, text: str) -> None:
    assert add(client, text).status_code == 422
    assert texts(client) == []
