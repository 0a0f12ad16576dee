"""Rows that say who owns them: what is removed, inherited and taken back is derived from that."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

import neonup_emulator.neon
from neonup_emulator.neon import purging
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.claimable.model import AgentRegistration, ClaimableDatabase
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.model import (
    Branch,
    BranchDatabase,
    DataState,
    Endpoint,
    Operation,
    Permission,
    Project,
    Role,
    Snapshot,
)
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import KINDS, Store
from neonup_emulator.neon.transfer.model import TransferRequest

NOW = datetime(2026, 11, 28, tzinfo=UTC)
FIELD_OF_OWNER = {"Organization": "org_id", "AgentRegistration": "registration_id"}
FIELD_OF_OWNER |= {"OAuthClient": "client_id", "OAuthGrant": "grant_id"}
VALUES: dict[Any, Any] = {str: "s", int: 1, bool: False, datetime: NOW, Level: Level.VIEWER}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def value_of(type_: Any) -> Any:
    if get_origin(type_) is Literal:
        return get_args(type_)[0]
    return VALUES[type_] if type_ in VALUES else get_origin(type_)()


def row_of(kind: type[Row], **fields: object) -> Row:
    """A row of a kind: what is not given and has no default gets any value of its type."""
    names = [field.name for field in msgspec.structs.fields(kind)]
    required = {
        field.name: value_of(field.type) for field in msgspec.structs.fields(kind) if field.required
    }
    given = {name: value for name, value in fields.items() if name in names}
    return kind(**{**required, "id": kind.__name__, **given})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "neon.db")) as store:
        yield store


@pytest.fixture
def filled(store: Store) -> Store:
    """One row of each kind, of one project and branch."""
    own = {"project_id": "Project", "branch_id": "Branch", "cluster_id": "Cluster"}
    store.insert(*(row_of(kind, **own) for kind in KINDS))
    return store


def kinds_in(store: Store) -> set[type[Row]]:
    return {kind for kind in KINDS if store.all(kind)}


def test_a_kind_that_does_not_say_who_owns_it_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="Widget must say who owns it"):
        type("Widget", (Row,), {"__annotations__": {"project_id": str}})


def test_the_store_has_every_kind_that_a_module_defines() -> None:
    """In an interpreter of its own, which imports the store first, as the local Neon does."""
    modules = [
        module.name
        for module in pkgutil.walk_packages(neonup_emulator.__path__, "neonup_emulator.")
    ]
    program = (
        "import importlib, sys; from neonup_emulator.neon.state import row, store\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print({kind.__name__ for kind in row.Row.__subclasses__()} "
        "^ {kind.__name__ for kind in store.KINDS})"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, *modules], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


@every_kind
def test_a_row_names_its_owner_in_a_field(kind: type[Row]) -> None:
    owner = kind.OWNER
    if owner is None:
        return
    assert owner in KINDS
    field = FIELD_OF_OWNER.get(owner.__name__, f"{owner.__name__.lower()}_id")
    names = {one.name for one in msgspec.structs.fields(kind)}
    assert field in names
    if ownership.is_owned_by(kind, Project):
        assert "project_id" in names


def test_a_purged_project_leaves_what_is_not_its_own(filled: Store) -> None:
    [project] = filled.all(Project)
    assert [row.id for row in purging.forget_project(filled, project)] == ["Cluster"]
    of_project = {kind for kind in KINDS if ownership.is_owned_by(kind, Project)}
    assert of_project >= {Cluster, Operation, Permission, Snapshot, TransferRequest}
    assert kinds_in(filled) == set(KINDS) - of_project - {Project}
    assert {AgentRegistration, ClaimableDatabase, Organization} <= kinds_in(filled)


def test_a_deleted_branch_takes_its_rows_and_its_data(filled: Store) -> None:
    [branch] = filled.all(Branch)
    purging.forget_branch(filled, branch)
    assert set(KINDS) - kinds_in(filled) == {Branch, Endpoint, Role, BranchDatabase, Cluster}


def test_a_branch_begins_with_its_parents_roles_and_databases(filled: Store) -> None:
    [parent] = filled.all(Branch)
    child = msgspec.structs.replace(parent, id="br-child")
    rows = ownership.inherited(filled, parent, child, NOW)
    assert {type(row) for row in rows} == {Role, BranchDatabase}
    assert [row.id for row in rows] == ["br-child/s", "br-child/s"]


@every_kind
def test_what_is_in_the_making_is_taken_back(store: Store, kind: type[Row]) -> None:
    """Whatever has a state `init` is one that a start takes back."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    copies_data = types.get("state") is DataState
    row = row_of(kind, state=DataState.INIT) if copies_data else row_of(kind)
    store.insert(row)
    assert ownership.unfinished(store) == ([row] if copies_data else [])


@every_kind
def test_the_states_of_a_row_have_names(kind: type[Row]) -> None:
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name in {"state", "status"} & types.keys():
        assert issubclass(types[name], StrEnum)


@every_kind
def test_data_that_a_row_points_to_is_used(store: Store, kind: type[Row]) -> None:
    pointers = {"cluster_id", "replica_id"} & {one.name for one in msgspec.structs.fields(kind)}
    row = row_of(kind, **dict.fromkeys(pointers, "used"))
    store.insert(row_of(Cluster, id="used"), row_of(Cluster, id="unused"), row)
    unused = {cluster.id for cluster in ownership.unused_clusters(store)}
    assert ("used" in unused) == (not pointers)
    assert "unused" in unused
