"""The engine of a new database is chosen by what the project needs, and what none has is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from neonup_local.engine import binaries, choosing
from neonup_local.engine.binaries import Engine
from neonup_local.engine.choosing import EngineNeeds
from neonup_local.service.databases import LocalDatabases
from tests.project import Project, clean_environ, names

STATEMENT = "CREATE EXTENSION pgcrypto;\n"


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home))


def engines(home: Path) -> list[Engine]:
    return [entry.engine for entry in binaries.candidates(home) if entry.engine]


def embedded(home: Path) -> Engine:
    return next(engine for engine in engines(home) if engine.name == "embedded-postgres")


def stub(folder: Path, *extensions: str) -> Path:
    """The programs of a Postgres with PostGIS, as far as they are looked at without a start."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (programs / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.4'\n")
        (programs / name).chmod(0o755)
    controls = folder / "share" / "extension"
    controls.mkdir(parents=True)
    for extension in extensions:
        (controls / f"{extension}.control").write_text("default_version = '1'\n")
    return programs


def findings(project: Project) -> list[tuple[str, str | None]]:
    """What ``doctor`` says of the project's needs, and its remedies."""
    report = json.loads(project.neonup("doctor", "--json").stdout)
    lines = [line for line in report["findings"] if line["topic"] == "needs"]
    return [(line["text"], line["remedy"]) for line in lines]


@pytest.mark.parametrize("wanted", [("pgcrypto",), ("vector",), ("hstore", "sslinfo"), ()])
def test_the_first_that_has_all_is_taken(neonup_home: Path, wanted: tuple[str, ...]) -> None:
    first = next(one for one in engines(neonup_home) if all(map(one.has, wanted)))
    for needs in (EngineNeeds(wanted), EngineNeeds(wanted=wanted)):
        chosen = choosing.select(neonup_home, needs=needs).engine
        assert chosen is not None
        assert chosen.id == first.id


def test_where_none_has_all_the_one_with_most_is_taken(neonup_home: Path) -> None:
    wanted = ("sslinfo", "no_such_thing", "vector", "pgcrypto")
    most = max(engines(neonup_home), key=lambda one: sum(map(one.has, wanted)))  # the first of them
    chosen = choosing.select(neonup_home, needs=EngineNeeds(wanted=wanted)).engine
    assert chosen is not None
    assert chosen.id == most.id


def test_a_postgres_of_the_machine_is_taken_for_what_it_alone_has(
    tmp_path: Path, neonup_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = stub(tmp_path / "own", "postgis", "hstore", "vector")
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    chosen = choosing.select(neonup_home, needs=EngineNeeds(("vector", "postgis"))).engine
    assert chosen is not None
    assert (chosen.bin, chosen.version) == (programs, "17.4")
    assert chosen.needs_superuser("postgis")


def test_an_extension_that_none_has_is_an_error_before_anything_is_made(
    project: Project, neonup_home: Path
) -> None:
    said = project.fails(NEONUP_EXTENSIONS="vector,postgis", NEONUP_POSTGRES="18")
    assert "extensions = vector, postgis (NEONUP_EXTENSIONS)" in said
    assert "postgres = 18 (NEONUP_POSTGRES)" in said
    assert "embedded-postgres" in said
    assert f"Postgres {embedded(neonup_home).version} without postgis" in said
    assert "postgresql-18-postgis-3" in said
    assert names(project.folder) == []
    assert LocalDatabases(neonup_home).ids() == []


def test_another_setting_that_rules_out_the_engine_is_named(
    tmp_path: Path, project: Project, neonup_home: Path
) -> None:
    said = project.fails(
        NEONUP_EXTENSIONS="pgcrypto", NEONUP_LOCAL_ENGINE="embedded-postgres", NEONUP_POSTGRES="18"
    )
    assert "engine = embedded-postgres (NEONUP_LOCAL_ENGINE)" in said
    assert f"Postgres {embedded(neonup_home).version} without pgcrypto" in said
    assert "Without that, " in said
    programs = stub(tmp_path / "own", "hstore")
    said = project.fails(NEONUP_EXTENSIONS="vector", NEONUP_PG_BIN=str(programs))
    assert f"pg_bin = {programs} (NEONUP_PG_BIN)" in said
    assert "Postgres 17.4 without vector" in said
    assert said.count("checked:") == 1


def test_a_reset_with_an_extension_that_none_has_deletes_nothing(project: Project) -> None:
    project.ok()
    project.ok("psql", "--", "-c", "CREATE TABLE mine ()")
    assert "no_such_thing" in project.fails("reset", "--yes", NEONUP_EXTENSIONS="no_such_thing")
    assert "pgvector (did you mean 'vector'?)" in project.fails(
        "reset", "--yes", NEONUP_EXTENSIONS="pgvector"
    )
    assert project.query("SELECT count(*) FROM mine") == "0"


def test_the_extensions_of_the_setting_are_there_before_the_seed(project: Project) -> None:
    (project.folder / "pyproject.toml").write_text(
        '[tool.neonup]\nextensions = ["hstore", "earthdistance", "pageinspect"]\nseed = "seed.sql"'
    )
    (project.folder / "seed.sql").write_text(
        "CREATE TABLE pairs (h hstore);\n"
        "CREATE EXTENSION IF NOT EXISTS hstore; COMMENT ON EXTENSION hstore IS 'mine';\n"
    )
    project.ok()
    assert project.query("SELECT count(*) FROM pairs") == "0"
    owners = project.query(
        "SELECT string_agg(extname || ' ' || rolname, ', ' ORDER BY extname) FROM pg_extension "
        "JOIN pg_roles r ON r.oid = extowner WHERE extname <> 'plpgsql'"
    )
    assert owners == (
        "cube neondb_owner, earthdistance neondb_owner, hstore neondb_owner, "
        "pageinspect cloud_admin"
    )
    project.ok("reset", "--yes")
    assert project.query("SELECT count(*) FROM pg_extension") == "5"


def test_what_a_migration_names_decides_on_the_engine_with_no_setting(project: Project) -> None:
    folder = project.folder / "shop" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_initial.py").write_text("operations = [CryptoExtension()]\n")
    assert "lacks" not in project.ok()
    project.ok("psql", "--", "-c", STATEMENT)


def test_what_no_engine_has_is_said_at_creation_with_its_place(project: Project) -> None:
    (project.folder / "schema.sql").write_text(f"{STATEMENT}CREATE EXTENSION postgis;\n")
    said = project.ok()
    assert "lacks postgis (schema.sql:2): apt install postgresql-" in said
    assert "-postgis-3" in said
    assert "pgcrypto" not in said
    assert "lacks" not in project.ok()  # a warm start does not even look


def test_doctor_shows_need_and_engine_side_by_side(project: Project, neonup_home: Path) -> None:
    poor = {"NEONUP_LOCAL_ENGINE": "embedded-postgres"}
    (project.folder / "schema.sql").write_text(f"CREATE EXTENSION hstore;\n{STATEMENT}")
    before = findings(project)
    assert [text.split()[0] for text, _ in before] == ["hstore", "pgcrypto"]
    assert all("the engine of a new database" in text for text, _ in before)
    assert all(text.endswith(", has it") and remedy is None for text, remedy in before)
    project.ok(**poor)
    (hstore, nothing), (crypto, remedy) = findings(project)
    whose = f"the database's engine, Postgres {embedded(neonup_home).version} of embedded-postgres"
    assert hstore == f"hstore (schema.sql:1): {whose}, has it"
    assert nothing is None
    assert crypto == f"pgcrypto (schema.sql:2): {whose}, lacks it"
    assert remedy is not None
    assert remedy.startswith("`neonup engine use ")
    assert "pgcrypto (schema.sql:2)" in project.neonup("doctor").stdout


def test_doctor_says_what_only_a_superuser_may_create(project: Project) -> None:
    (project.folder / "schema.sql").write_text("CREATE EXTENSION pageinspect;\n")
    ((text, remedy),) = findings(project)
    assert text.startswith("pageinspect (schema.sql:1): ")
    assert text.endswith(", lets only a superuser create it")
    assert remedy == "Name it in the setting extensions: neonup creates it in a new database."
    project.environ["NEONUP_EXTENSIONS"] = "pageinspect"
    project.ok()
    ((text, remedy),) = findings(project)
    assert text.startswith("pageinspect (the setting extensions, from NEONUP_EXTENSIONS): ")
    assert text.endswith(", has it")
    assert remedy is None
    assert project.query("SELECT count(*) FROM pg_extension") == "2"
    shutil.copytree(project.folder, project.folder.with_name("copy"))
    copy = Project(project.folder.with_name("copy"), project.environ)
    copy.ok("fork", NEONUP_EXTENSIONS="pageinspect,pg_visibility")
    assert copy.query("SELECT count(*) FROM pg_extension") == "3"


def test_doctor_says_nothing_of_a_database_elsewhere(project: Project) -> None:
    (project.folder / "schema.sql").write_text("CREATE EXTENSION no_such_thing;\n")
    assert findings(project)
    project.environ["DATABASE_URL"] = "postgresql://me@db.example/shop"
    assert findings(project) == []


def test_a_search_that_was_ended_says_so(project: Project) -> None:
    line = "x = 'CREATE EXTENSION ' + extension()\n"
    for number in range(150):
        (project.folder / f"module{number}.py").write_text(line * 1000)
    ((text, remedy),) = findings(project)
    assert "SQL and Python files were searched for extensions; the search was ended there" in text
    assert remedy is None
