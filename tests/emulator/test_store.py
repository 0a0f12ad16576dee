"""The store of the local Neon: rows, natural keys, and files of other versions."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from neonup import ProviderError
from neonup_emulator.neon.accounts.model import ApiKey, Invitation, User
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.claimable.model import AgentRegistration, ClaimableDatabase, ClaimCode
from neonup_emulator.neon.errors import Conflict, NotFound
from neonup_emulator.neon.model import (
    Branch,
    Endpoint,
    Permission,
    ProjectGrant,
    Role,
    Snapshot,
)
from neonup_emulator.neon.state.natural_keys import NATURAL_KEYS, NaturalKey
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import Store, setting

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DATED: dict[str, Any] = {"created_at": NOW, "updated_at": NOW}
BRANCH = Branch(id="br-1", project_id="p", name="main", cluster_id="c", default=True, **DATED)
ROWS: dict[type[Row], Row] = {
    User: User(id="1", email="ann@example.com", name="Ann", created_at=NOW),
    Invitation: Invitation(
        id="1", org_id="o", email="ann@example.com", role="viewer", invited_by="1", invited_at=NOW
    ),
    ApiKey: ApiKey(id="1", number=1, name="k", digest="d", user_id="1", created_at=NOW),
    Branch: BRANCH,
    Endpoint: Endpoint(
        id="ep-1",
        project_id="p",
        branch_id="br-1",
        type="read_write",
        address="127.0.0.1",
        port=1,
        **DATED,
    ),
    Permission: Permission(
        id="1", project_id="p", granted_to_email="ann@example.com", granted_at=NOW
    ),
    Snapshot: Snapshot(
        id="snap-1",
        project_id="p",
        name="first",
        slug="first",
        source_branch_id="br-1",
        cluster_id="c",
        created_at=NOW,
        at=NOW,
    ),
    ProjectGrant: ProjectGrant(
        id="1", project_id="p", member_id="m", level=Level.EDITOR, granted_at=NOW
    ),
    AgentRegistration: AgentRegistration(
        id="1",
        project_id="p",
        branch_id="br-1",
        role="r",
        database="d",
        digest="d",
        source="s",
        requested=[],
        granted=[],
        created_at=NOW,
        expires_at=NOW,
    ),
    ClaimCode: ClaimCode(
        id="1", project_id="p", registration_id="1", digest="d", created_at=NOW, expires_at=NOW
    ),
    ClaimableDatabase: ClaimableDatabase(id="1", project_id="p", expires_at=NOW, **DATED),
}
OTHER: dict[str, Any] = {
    "email": "bea@example.com",
    "granted_to_email": "bea@example.com",
    "type": "read_only",
    "state": "used",
    "default": False,
}
"""Values with which a row is like no other one."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "neon.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path)) as store:
        yield store


def twin_of(key: NaturalKey) -> Row:
    """Another row that shares nothing but this key."""
    row = ROWS[key.kind]
    own = {*key.fields, *re.findall(r"\$\.(\w+)", key.where)}
    every = {
        name
        for one in NATURAL_KEYS
        if one.kind is key.kind
        for name in (*one.fields, *re.findall(r"\$\.(\w+)", one.where))
    }
    different = {name: OTHER.get(name, "another") for name in every - own}
    return replace(row, id="another", **different)


@pytest.mark.parametrize("key", NATURAL_KEYS, ids=lambda key: key.name)
def test_no_two_rows_share_a_natural_key(store: Store, key: NaturalKey) -> None:
    row, twin = ROWS[key.kind], twin_of(key)
    store.insert(row)
    with pytest.raises(Conflict) as caught:
        store.insert(twin)
    assert caught.value.message == key.refusal
    store.delete(row)
    store.insert(twin)
    with pytest.raises(Conflict):
        store.insert(row)
    assert store.all(key.kind) == [twin]


def test_addresses_differ_by_more_than_their_capitals(store: Store) -> None:
    row = ROWS[User]
    store.insert(row)
    with pytest.raises(Conflict, match="account with that email"):
        store.insert(replace(row, id="2", email="ANN@example.com"))


@pytest.mark.parametrize("kind", ROWS)
def test_the_ids_of_a_kind_are_unique(store: Store, kind: type[Row]) -> None:
    store.insert(ROWS[kind])
    with pytest.raises(Conflict):
        store.insert(ROWS[kind])


def test_names_of_roles_are_unique_by_their_ids(store: Store) -> None:
    role = Role(id="br-1/ann", project_id="p", branch_id="br-1", name="ann", **DATED)
    store.insert(role)
    with pytest.raises(Conflict, match="role already exists"):
        store.insert(role)


def test_a_row_that_is_gone_cannot_be_changed(store: Store) -> None:
    store.insert(BRANCH)
    store.delete(BRANCH)
    with pytest.raises(NotFound, match="branch not found"):
        store.update(Branch, BRANCH.id, setting(name="renamed"))
    assert store.all(Branch) == []


def test_a_change_that_is_refused_changes_nothing(store: Store) -> None:
    other = replace(BRANCH, id="br-2", name="dev", cluster_id="d", default=False)
    store.insert(BRANCH, other)
    with pytest.raises(Conflict, match="branch already exists"), store.transaction():
        store.update(Branch, BRANCH.id, setting(protected=True))
        store.update(Branch, other.id, setting(name="main"))
    assert store.all(Branch) == [BRANCH, other]
    with pytest.raises(ValueError, match="cannot be changed"):
        store.update(Branch, other.id, setting(id="br-3"))


def as_version(path: Path, version: int, *statements: str) -> None:
    """Make a file as another version of neonup has it."""
    Store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for key in NATURAL_KEYS:
            connection.execute(f"DROP INDEX {key.name}")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")


def test_a_file_of_the_version_before_is_taken_over(path: Path) -> None:
    as_version(path, 1)
    with closing(Store(path)) as store:
        store.insert(BRANCH)
        with pytest.raises(Conflict):
            store.insert(replace(BRANCH, id="br-2", cluster_id="d", default=False))
        assert store.select("PRAGMA user_version", ()) == [(2,)]


def test_a_file_in_which_names_are_not_unique_says_so(path: Path) -> None:
    body = '{"id": "br-%d", "name": "main", "cluster_id": "%d"}'
    rows = ", ".join(f"('br-{n}', 'p', '{body % (n, n)}')" for n in (1, 2))
    as_version(path, 1, f"INSERT INTO Branch (id, project_id, body) VALUES {rows}")
    with pytest.raises(ProviderError, match="rows of the kind Branch with the same project_id"):
        Store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM Branch").fetchone() == (2,)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_file_of_a_later_version_is_refused(path: Path) -> None:
    as_version(path, 3)
    with pytest.raises(ProviderError, match="written by another version of neonup"):
        Store(path)
