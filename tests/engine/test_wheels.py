"""What is in each platform's wheel. They are checked by content: one platform at most is here."""

from __future__ import annotations

import hashlib
import re
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest

from engine import machine_code, parts
from engine import wheel as wheel_module
from engine.licences import TEXTS
from engine.parts import CLIENT_PROGRAMS, SERVER_PROGRAMS, Platform
from tests.engine.signatures import signed_pages

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]

EXTENSIONS = (
    *("amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink"),
    *("dict_int", "dict_xsyn", "earthdistance", "file_fdw", "fuzzystrmatch", "hstore"),
    *("insert_username", "intagg", "intarray", "isn", "lo", "ltree", "moddatetime", "pageinspect"),
    *("pg_buffercache", "pg_freespacemap", "pg_logicalinspect", "pg_prewarm"),
    *("pg_stat_statements", "pg_surgery", "pg_trgm", "pg_visibility", "pg_walinspect", "pgcrypto"),
    *("pgrowlocks", "pgstattuple", "plpgsql", "postgres_fdw", "refint", "seg", "sslinfo"),
    *("tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "vector"),
)
"""What every platform's wheel has of Postgres 18."""
MORE = {
    "linux-x64": {"xml2"},
    "linux-arm64": {"xml2"},
    "darwin-arm64": {"pldbgapi", "system_stats"},
    "darwin-x64": {"pldbgapi", "system_stats"},
    "windows-x64": {"pldbgapi", "xml2"},
}
"""What some have beside it; macOS's packages lack libxslt."""


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def names(folder: Path) -> list[PurePosixPath]:
    return [PurePosixPath(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def test_programs_and_extensions_are_in_it(unpacked: Path, platform: Platform) -> None:
    postgres = unpacked / "neonup_postgres/pginstall"
    for program in (*SERVER_PROGRAMS, *CLIENT_PROGRAMS):
        assert (postgres / platform.program(program)).is_file()
    controls = {path.stem for path in (postgres / platform.share / "extension").glob("*.control")}
    assert controls == {*EXTENSIONS, *MORE[platform.name]}


def test_nothing_to_compile_with_is_in_it(unpacked: Path) -> None:
    tools = {".a", ".lib", ".h", ".pc", ".mk", ".la"}
    assert [name for name in names(unpacked) if name.suffix in tools] == []


def test_all_of_it_is_for_its_platform_and_is_complete(unpacked: Path, platform: Platform) -> None:
    package = unpacked / "neonup_postgres"
    present = {str(name).lower() for name in names(package)}
    libraries = PurePosixPath("pginstall", platform.libraries)
    codes = 0
    for name in names(package):
        code = machine_code.read(package / name)
        if code is None:
            continue
        codes += 1
        assert code.machine_format == platform.machine_format, name
        assert code.architectures == {platform.architecture}, name
        missing = [
            place for place in code.places(name, libraries) if str(place).lower() not in present
        ]
        assert missing == [], name
    assert codes > 80


def test_its_tag_names_the_oldest_system_that_all_of_it_runs_on(
    wheel: Path, unpacked: Path, platform: Platform
) -> None:
    (described,) = unpacked.glob("*.dist-info/WHEEL")
    tag = Parser().parsestr(described.read_text())["Tag"]
    assert wheel.name == f"neonup_postgres-{parts.version(parts.NEWEST)}-{tag}.whl"
    known = {
        "ELF": r"py3-none-manylinux_2_27_(x86_64|aarch64)",
        "Mach-O": r"py3-none-macosx_13_0_(arm64|x86_64)",
        "PE": r"py3-none-win_amd64",
    }
    assert re.fullmatch(known[platform.machine_format], tag)
    for name in names(unpacked):
        code = machine_code.read(unpacked / name)
        if code and code.oldest and platform.machine_format != "PE":
            newest = tuple(map(int, re.findall(r"\d+", tag.removeprefix("py3"))[:2]))
            assert code.oldest <= newest, name


def test_no_program_looks_for_libraries_in_a_folder_of_who_built_it(unpacked: Path) -> None:
    for name in names(unpacked):
        for folder in machine_code.search_path(unpacked / name):
            assert folder.startswith("$ORIGIN"), name


def test_each_library_is_in_it_once_but_icus_on_macos(unpacked: Path) -> None:
    by_content: dict[str, list[str]] = {}
    for name in names(unpacked):
        if machine_code.read(unpacked / name):
            digest = hashlib.sha256((unpacked / name).read_bytes()).hexdigest()
            by_content.setdefault(digest, []).append(name.name)
    twice = [sorted(found) for found in by_content.values() if len(found) > 1]
    assert twice in ([], [["libicuuc.77.1.dylib", "libicuuc.77.dylib"]])


def test_the_signatures_of_macos_are_valid(unpacked: Path, platform: Platform) -> None:
    pages = {
        name: signed_pages(unpacked / name)
        for name in names(unpacked)
        if (code := machine_code.read(unpacked / name)) and code.machine_format == "Mach-O"
    }
    assert [name for name, valid in pages.items() if not all(valid)] == []
    if platform.name == "darwin-arm64":  # which runs nothing without one
        assert len(pages) > 80
        assert all(pages.values())


def test_the_licences_of_its_parts_are_in_it(unpacked: Path, platform: Platform) -> None:
    (folder,) = unpacked.glob("*.dist-info/licenses/licences")
    given = {path.stem for path in folder.iterdir()}
    always = {"embedded-postgres-npm", "icu", "libxml2", "pgvector", "postgresql", "zlib"}
    assert always <= given <= {path.stem for path in TEXTS.iterdir()}
    openssl = "openssl-1.1" if platform.machine_format == "ELF" else "openssl-3"
    assert {name for name in given if name.startswith("openssl")} == {openssl}


@pytest.mark.parametrize("platform", ["linux-x64", "windows-x64"], indirect=True)
def test_it_is_the_same_each_time(wheel: Path, platform: Platform, tmp_path: Path) -> None:
    again, _ = wheel_module.assemble(platform, parts.NEWEST, tmp_path)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()
