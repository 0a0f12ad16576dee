"""What a project's files need of their server, found by a search that nothing can stop for long."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path

import pytest

import neonup
from neonup_local.needs.project import of_project
from neonup_local.needs.search import search


def write(folder: Path, **files: str) -> None:
    """Write files by their names, ``__`` for a slash and ``_dot_`` for a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))


def places(folder: Path) -> dict[str, str]:
    return {need.feature: need.place for need in search(folder).needs}


SQL = {
    "plain": ("CREATE EXTENSION pgcrypto;", {"pgcrypto": 1}),
    "quoted": ('\ncreate extension if not exists "uuid-ossp" WITH SCHEMA x;', {"uuid-ossp": 2}),
    "upper case": ("CREATE EXTENSION\n  IF NOT EXISTS HSTORE CASCADE", {"hstore": 1}),
    "executed": ("DO $$ BEGIN EXECUTE 'CREATE EXTENSION citext'; END $$;", {"citext": 1}),
    "several": ("CREATE EXTENSION cube; CREATE EXTENSION\nearthdistance;", dict.fromkeys(
        ("cube", "earthdistance"), 1)),
    "collation": ("CREATE COLLATION c (\n provider = icu, locale = 'und');", {"icu": 2}),
    "locale": ("CREATE DATABASE d LOCALE_PROVIDER = 'icu';", {"icu": 1}),
    "column": ('CREATE TABLE t (n text COLLATE "sv-x-icu");', {"icu": 1}),
    "a line is a comment": ("-- CREATE EXTENSION pgcrypto;\nCREATE EXTENSION ltree;", {"ltree": 2}),
    "blocks nest": ("/* a /* b */\nCREATE EXTENSION cube; */\nCREATE EXTENSION seg;", {"seg": 3}),
    "a text is no comment": ("SELECT '--'; CREATE EXTENSION seg;", {"seg": 1}),
    "prose": ("COMMENT ON SCHEMA x IS 'CREATE EXTENSION is not for you';", {}),
    "another word": ("CREATE TABLE particular (difficulty int);", {}),
    "a comment that never ends": ("CREATE EXTENSION seg; /* CREATE EXTENSION cube;", {"seg": 1}),
}  # fmt: skip

PYTHON = {
    "django": ("from x import CryptoExtension\n\nwhat = [CryptoExtension()]", {"pgcrypto": 3}),
    "all of django's": (
        "BloomExtension(), BtreeGinExtension(), BtreeGistExtension(), CITextExtension(),\n"
        "ops.HStoreExtension(), TrigramExtension(), UnaccentExtension(hints={})",
        {**dict.fromkeys(("bloom", "btree_gin", "btree_gist", "citext"), 1),
         **dict.fromkeys(("hstore", "pg_trgm", "unaccent"), 2)},
    ),
    "pgvector's": ("[VectorExtension()]", {"vector": 1}),
    "by name": ('CreateExtension("ltree")\nCreateExtension(name="cube")', {"ltree": 1, "cube": 2}),
    "a variable's name": ("CreateExtension(name)", {}),
    "postgis": ('DATABASES = {"default": {\n"ENGINE": "django.contrib.gis.db.backends.postgis"}}',
                {"postgis": 2}),
    "alembic": ("op.execute('CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"')", {"uuid-ossp": 1}),
    "escaped": (r'op.execute("CREATE EXTENSION \"uuid-ossp\"")', {"uuid-ossp": 1}),
    "many lines": ('sql = """\nCREATE TABLE t ();\nCREATE EXTENSION vector;\n"""', {"vector": 3}),
    "joined": ('x("CREATE EXTENSION IF NOT EXISTS "\n  "vector")', {"vector": 1}),
    "an f-string": ('x(f"CREATE EXTENSION vector VERSION {version}")', {"vector": 1}),
    "a name that is not known": ('x(f"CREATE EXTENSION IF NOT EXISTS {name}")', {}),
    "lines of one string": (r'x("SELECT 1;\nCREATE EXTENSION seg;")', {"seg": 1}),
    "a collation": ('CreateCollation("ci", "und", provider="icu")', {"icu": 1}),
    "a column's": ('Text(collation="sv-x-icu")', {"icu": 1}),
    "comments": ("# CryptoExtension()\nx = 1  # CREATE EXTENSION cube;", {}),
    "a comment in SQL": ('x("-- CREATE EXTENSION cube;")', {}),
    "a docstring": ('def f():\n    """CREATE EXTENSION cube;"""\n    return 1', {}),
    "a class": ("class CryptoExtension(CreateExtension):\n    pass", {}),
    "an import": ("from django.contrib.postgres.operations import CryptoExtension", {}),
    "not valid Python": ("CryptoExtension()\nprint 'no' (\n\n  '''", {"pgcrypto": 1}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        *(pytest.param("schema.sql", *case, id=f"sql: {name}") for name, case in SQL.items()),
        *(pytest.param("app.py", *case, id=f"python: {name}") for name, case in PYTHON.items()),
    ],
)
def test_what_a_file_names(tmp_path: Path, name: str, text: str, expected: dict[str, int]) -> None:
    (tmp_path / name).write_text(text)
    assert places(tmp_path) == {what: f"{name}:{line}" for what, line in expected.items()}


def test_migrations_come_first_and_the_first_place_counts(tmp_path: Path) -> None:
    statement = "CREATE EXTENSION hstore;\n"
    write(
        tmp_path,
        a_dot_sql=statement,
        a__b__c__d__migrations__0002_dot_py="HStoreExtension()",
        a__b__c__d__migrations__deep__0001_dot_sql=f"\n-- first\n{statement}",
        z_dot_sql="CREATE EXTENSION cube;",
    )
    assert places(tmp_path)["hstore"] == "a/b/c/d/migrations/0002.py:1"
    assert places(tmp_path)["cube"] == "z.sql:1"


def test_folders_of_others_are_left_out(tmp_path: Path) -> None:
    others = ("node_modules", "build", ".tox", "site-packages", "env/lib", "__pycache__")
    for name in others:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.sql").write_text("CREATE EXTENSION cube;")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    write(tmp_path, apps__x_dot_sql="CREATE EXTENSION seg;", notes_dot_txt="CREATE EXTENSION cube;")
    found = search(tmp_path)
    assert (found.features, found.files, found.complete) == (("seg",), 1, True)


def test_what_cannot_be_read_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "around").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "nowhere.sql").symlink_to(tmp_path / "missing")
    os.mkfifo(tmp_path / "waits.sql")
    (tmp_path / "latin.sql").write_bytes(b"-- gr\xfc\xdfe\nCREATE EXTENSION seg;\n\xff\xfe\x00")
    (tmp_path / "marked.sql").write_bytes(b"\xef\xbb\xbfCREATE EXTENSION cube;")
    (tmp_path / "dot.py").write_bytes(b"CryptoExtension(\x00)")
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)
    try:
        assert {"seg", "cube"} <= {*search(tmp_path).features}
    finally:
        folder.chmod(0o700)
    assert search(tmp_path / "missing").files == 0


def test_of_a_dump_the_beginning_is_read(tmp_path: Path) -> None:
    line = "INSERT INTO t VALUES (1);\n"
    (tmp_path / "dump.sql").write_text(
        f"CREATE EXTENSION seg;\n{line * 100_000}CREATE EXTENSION cube;\n"
    )
    assert search(tmp_path).features == ("seg",)


def test_a_large_tree_takes_no_more_than_its_time(tmp_path: Path) -> None:
    """Of 6,000 files: what is in migrations is found, though they are deep and not all is read."""
    code = "def function(extension):\n    return 'an extension'\n" * 40
    for number in range(60):
        folder = tmp_path / "apps" / f"app{number}" / "code"
        folder.mkdir(parents=True)
        for name in range(100):
            (folder / f"m{name}.py").write_text(code)
    write(tmp_path, apps__zoo__migrations__0001_dot_py="CryptoExtension()")
    begin = time.thread_time()
    found = search(tmp_path)
    assert time.thread_time() - begin < 0.3
    assert not found.complete
    assert 0 < found.files <= 5000
    assert found.features == ("pgcrypto",)
    assert search(tmp_path / "apps" / "app0").files == 100


def test_the_setting_takes_the_place_of_the_search(tmp_path: Path) -> None:
    write(tmp_path, x_dot_sql="CREATE EXTENSION seg;")
    assert of_project(neonup.resolve(tmp_path)).features == ("seg",)
    write(tmp_path, pyproject_dot_toml='[tool.neonup]\nextensions = ["vector", "postgis"]')
    needs = of_project(neonup.resolve(tmp_path))
    assert needs.features == ("vector", "postgis")
    assert needs.needs[0].place == "the setting extensions, from pyproject.toml"
    write(tmp_path, pyproject_dot_toml="[tool.neonup]\nextensions = []")
    assert of_project(neonup.resolve(tmp_path)).needs == ()
