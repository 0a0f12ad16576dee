"""What clients see of notes."""

import pytest
from fastapi.testclient import TestClient


def texts(client: TestClient) -> list[str]:
    return [note["text"] for note in client.get("/notes").raise_for_status().json()]


def test_an_added_note_is_listed_first(client: TestClient) -> None:
    for text in ("Buy milk", "Water the plants"):
        answer = client.post("/notes", json={"text": text})
        assert answer.status_code == 201
        assert answer.json()["text"] == text
    assert texts(client) == ["Water the plants", "Buy milk"]


def test_a_deleted_note_is_gone(client: TestClient) -> None:
    note = client.post("/notes", json={"text": "Buy milk"}).json()
    assert client.delete(f"/notes/{note['id']}").status_code == 204
    assert texts(client) == []
    assert client.delete(f"/notes/{note['id']}").status_code == 404


@pytest.mark.parametrize("text", ["", "x" * 501])
def test_a_note_of_the_wrong_length_is_refused(client: TestClient, text: str) -> None:
    assert client.post("/notes", json={"text": text}).status_code == 422
    assert texts(client) == []


def test_the_database_is_healthy(client: TestClient) -> None:
    assert client.get("/_neon/health").json() == {"status": "ok"}
