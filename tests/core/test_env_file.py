"""Writing ``.env``: whatever else is in the file stays as it was, byte for byte."""

from __future__ import annotations

import atexit
import io
import os
import re
import shutil
import stat
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from dotenv import dotenv_values
from dotenv.parser import parse_stream
from hypothesis import given
from hypothesis import strategies as st

from neonup import Database, EnvFileError, ProviderError
from neonup.env import dotenv, record, record_changes
from neonup.settings import Settings
from tests.project import names

URL = "postgresql://neondb_owner:npg_s3cret@ep-cool-a1b2c3d4-pooler.us-east-2.aws.neon.tech/neondb"
DIRECT = URL.replace("-pooler", "")
NEW_URL = URL.replace("cool", "warm")
CLAIM = "https://neon.new/claim/01995f1b-1111-7aaa-8bbb-cccccccccccc"
EXPIRES = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def database(url: str = URL, key: str = "DATABASE_URL") -> Database:
    return Database(
        url,
        "neon.new",
        id="01995f1b-1111-7aaa-8bbb-cccccccccccc",
        direct_url=url.replace("-pooler", ""),
        claim_url=CLAIM,
        expires_at=EXPIRES,
        key=key,
    )


@cache
def home() -> Path:
    """A folder for neonup's state, which holds the locks of files, until this process ends."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return folder


def settings(path: Path, *, env_keys: str = "all", prefix: str = "") -> Settings:
    return Settings(path.parent, home(), env_file=path, env_keys=env_keys, prefix=prefix)


def write(path: Path, what: Database | None = None, *, replace: bool = False, **how: str) -> None:
    record_changes.write(what or database(), settings(path, **how), path, replace=replace)


def parsed(content: bytes) -> dict[str, str | None]:
    return dict(dotenv_values(stream=io.StringIO(content.decode(), newline="")))


NAMES = st.sampled_from(["A", "B", "DATABASE_URL", "DATABASE_URL_DIRECT", "POSTGRES_CLAIM_URL"])
VALUES = st.one_of(
    st.just(""),
    st.text(alphabet="abc $#'\"\\=é{}\t", max_size=12),
    st.text(alphabet="ab\n\r ", max_size=6).map(lambda text: f'"{text}"'),
    st.sampled_from(["postgres://u:p@h/d", "'one line'", '"two\nlines"', "x # comment", "${A}b"]),
)
STATEMENTS = st.one_of(
    st.tuples(st.sampled_from(["", "export ", "  "]), NAMES, VALUES).map(
        lambda parts: f"{parts[0]}{parts[1]}={parts[2]}"
    ),
    st.text(max_size=20),
    st.sampled_from(["# a comment", "", "A", "# Claimable DB expires at: soon"]),
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
FILES = st.builds(
    lambda bom, statements, end, last: (
        ("\ufeff" if bom else "") + end.join(statements) + (end if last else "")
    ),
    st.booleans(),
    st.lists(STATEMENTS, max_size=8),
    ENDS,
    st.booleans(),
).map(lambda text: text.encode("utf-8", "ignore"))


@given(content=FILES)
def test_a_first_block_is_appended_to_bytes_that_stay(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(content)
        before = parsed(content)
        try:
            write(path)
        except EnvFileError:
            assert path.read_bytes() == content
            return
        after = path.read_bytes()
        assert after.startswith(content)
        values = parsed(after)
        assert values["DATABASE_URL"] == URL
        assert values["DATABASE_URL_DIRECT"] == DIRECT
        assert values["POSTGRES_CLAIM_URL"] == CLAIM
        ours = {"DATABASE_URL", "DATABASE_URL_DIRECT", "POSTGRES_CLAIM_URL"}
        unrelated = {
            name: value
            for name, value in before.items()
            if name not in ours and "${" not in content.decode()
        }
        assert {name: values[name] for name in unrelated} == unrelated
        assert names(Path(folder)) == [".env"]


@given(lead=FILES, trail=FILES)
def test_a_renewal_changes_only_the_managed_lines(lead: bytes, trail: bytes) -> None:
    ours = ("DATABASE_URL", "POSTGRES_CLAIM_URL", "Claimable DB", "postgres://")
    if any(word in (lead + trail).decode() for word in ours):
        return  # what belongs to the block is tested by example
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(lead)
        try:
            write(path)
        except EnvFileError:
            return
        first = path.read_bytes()
        trail = trail.removeprefix("\ufeff".encode())
        path.write_bytes(first + trail)
        if dotenv.read(path).values().get("DATABASE_URL") != URL:
            return  # a quote in what follows closes one before it: the block is inside a text
        try:
            write(path, database(NEW_URL), replace=True)
        except EnvFileError:
            assert path.read_bytes() == first + trail
            return
        expected = first.replace(b"ep-cool", b"ep-warm") + trail
        assert path.read_bytes() == expected


def test_a_new_file_is_private_and_ends_with_a_newline(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().endswith("\n")
    assert names(tmp_path) == [".env"]


def test_a_missing_folder_is_made_as_the_official_command_does(tmp_path: Path) -> None:
    path = tmp_path / "deploy" / "local" / ".env"
    write(path)
    assert parsed(path.read_bytes())["DATABASE_URL"] == URL


def test_the_block_has_the_official_form(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    assert path.read_text().splitlines() == [
        f"DATABASE_URL={URL}",
        f"DATABASE_URL_DIRECT={DIRECT}",
        "# neonup: DATABASE_URL provider=neon.new id=01995f1b-1111-7aaa-8bbb-cccccccccccc "
        "host=ep-cool-a1b2c3d4.us-east-2.aws.neon.tech expires=2026-11-26T12:00:00.000+00:00 "
        "added=file",
        "# Claimable DB expires at: Thu, 26 Nov 2026 12:00:00 GMT",
        "# Claim it now to your account using the link below:",
        f"POSTGRES_CLAIM_URL={CLAIM}",
    ]


@pytest.mark.parametrize("env_keys", ["all", "url"])
@pytest.mark.parametrize("key", ["DATABASE_URL", "ANALYTICS_DATABASE_URL", "PG"])
def test_what_was_written_is_read_back(tmp_path: Path, env_keys: str, key: str) -> None:
    path = tmp_path / ".env"
    write(path, database(key=key), env_keys=env_keys)
    found = record.parse(dotenv.read(path), key)
    assert found == database(key=key).with_(source=str(path))


@pytest.mark.parametrize(
    "parameter", ["host=db.example.com", "hostaddr=192.0.2.1", "port=6000", "service=another"]
)
def test_a_url_that_leads_elsewhere_is_no_longer_neonups(tmp_path: Path, parameter: str) -> None:
    """The host in its authority is not where a driver goes then."""
    path = tmp_path / ".env"
    write(path)
    text = path.read_text()
    path.write_text(text.replace(f"={URL}\n", f"={URL}?sslmode=require&{parameter}\n"))
    changed = record.parse(dotenv.read(path), "DATABASE_URL")
    assert changed is not None
    assert (changed.provider, changed.id) == ("user", None)
    path.write_text(text.replace(f"={URL}\n", f"={URL}?sslmode=require\n"))
    same = record.parse(dotenv.read(path), "DATABASE_URL")
    assert same is not None
    assert same.provider == "neon.new"


def test_what_a_provider_says_in_parameters_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path, database(url="postgresql://me:x@/shop?host=/tmp&port=6000"))
    read = record.parse(dotenv.read(path), "DATABASE_URL")
    assert read is not None
    assert read.provider == "neon.new"


def test_with_only_the_url_as_a_key_the_rest_are_comments(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path, env_keys="url")
    assert parsed(path.read_bytes()) == {"DATABASE_URL": URL}


def test_two_databases_live_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    write(path, database(NEW_URL, key="ANALYTICS_DATABASE_URL"))
    one = record.parse(dotenv.read(path), "DATABASE_URL")
    two = record.parse(dotenv.read(path), "ANALYTICS_DATABASE_URL")
    assert one is not None and one.url == URL and one.direct_url == DIRECT
    assert two is not None and two.url == NEW_URL and two.claim_url == CLAIM
    renewed = database(URL.replace("cool", "cold"))
    before = path.read_text()
    write(path, renewed, replace=True)
    assert path.read_text() == before.replace("ep-cool", "ep-cold")


def test_a_changed_url_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    path.write_text(path.read_text().replace(URL, "postgres://me:mine@db.example.com/app"))
    found = record.parse(dotenv.read(path), "DATABASE_URL")
    assert found is not None
    assert (found.provider, found.id, found.claim_url) == ("user", None, None)


def test_what_neon_new_wrote_is_understood(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        f"DATABASE_URL={URL}\nDATABASE_URL_DIRECT={DIRECT}\n"
        "# Claimable DB expires at: Sat, 01 Feb 2026 12:00:00 GMT\n"
        "# Claim it now to your account using the link below:\n"
        "PUBLIC_POSTGRES_CLAIM_URL=https://neon.new/database/01995f1b-1111-4aaa-8bbb-cccccccccccc\n"
    )
    found = record.parse(dotenv.read(path), "DATABASE_URL")
    assert found is not None
    assert found.provider == "neon.new"
    assert found.id == "01995f1b-1111-4aaa-8bbb-cccccccccccc"
    assert found.direct_url == DIRECT
    assert found.expires_at == datetime(2026, 2, 1, 12, tzinfo=UTC)
    assert found.claim_url is not None and found.claim_url.endswith("cccccccccccc")


@pytest.mark.parametrize("name", ["DATABASE_URL_DIRECT", "DATABASE_URL_UNPOOLED", "DIRECT_URL"])
def test_other_tools_names_of_the_direct_url_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{name}={DIRECT}\nDATABASE_URL={URL}\n")
    found = record.parse(dotenv.read(path), "DATABASE_URL")
    assert found is not None and found.direct == DIRECT


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    target = tmp_path / "shared.env"
    target.write_text("A=1\n")
    path = tmp_path / ".env"
    path.symlink_to(target)
    write(path)
    write(path, database(NEW_URL), replace=True)
    assert path.is_symlink()
    assert parsed(target.read_bytes())["DATABASE_URL"] == NEW_URL


def test_a_dangling_link_gets_its_target(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.symlink_to(tmp_path / "later.env")
    write(path)
    assert path.is_symlink()
    assert parsed((tmp_path / "later.env").read_bytes())["DATABASE_URL"] == URL


def test_mode_and_owner_stay(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    write(path)
    write(path, database(NEW_URL), replace=True)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


@pytest.mark.parametrize(
    "url",
    [
        URL + "\nEVIL=1",
        URL + "?a=$(reboot)",
        URL + "`id`",
        URL + " # comment",
        URL + "'",
        URL + '"',
        URL + "\\n",
        "",
    ],
)
def test_a_hostile_url_is_refused_and_nothing_is_written(tmp_path: Path, url: str) -> None:
    path = tmp_path / ".env"
    with pytest.raises(ProviderError):
        write(path, Database(url, "evil"))
    assert not path.exists()


def test_not_utf_8_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\nB=caf\xe9\n")
    with pytest.raises(EnvFileError, match="line 2"):
        write(path)
    assert path.read_bytes() == b"A=1\nB=caf\xe9\n"


_line = st.one_of(
    st.just(""),
    st.from_regex(r"#[^\n\r]{0,9}", fullmatch=True),
    st.from_regex(r"(export )?[A-Za-z_][A-Za-z_0-9]{0,5} ?= ?[!-~ ]{0,9}", fullmatch=True),
    st.text(max_size=9),
)


@given(st.lists(_line, max_size=6), st.booleans())
def test_plain_lines_are_read_as_python_dotenv_reads_them(lines: list[str], ends: bool) -> None:
    text = "\n".join(lines) + "\n" * ends
    file = dotenv.EnvFile(Path(".env"), text)
    bindings = [*parse_stream(io.StringIO(text, newline=""))]
    assert [(one.key, one.value, one.text) for one in file.statements] == [
        (binding.key, binding.value, binding.original.string) for binding in bindings
    ]


def test_no_variable_is_public_unless_a_prefix_says_so(tmp_path: Path) -> None:
    """Bundlers put VITE_..., NEXT_PUBLIC_... and PUBLIC_... into what browsers load."""
    path = tmp_path / ".env"
    write(path)
    assert set(parsed(path.read_bytes())) == {
        "DATABASE_URL",
        "DATABASE_URL_DIRECT",
        "POSTGRES_CLAIM_URL",
    }
    path.unlink()
    write(path, prefix="VITE_")
    assert set(parsed(path.read_bytes())) == {
        "DATABASE_URL",
        "DATABASE_URL_DIRECT",
        "VITE_POSTGRES_CLAIM_URL",
    }


@pytest.mark.parametrize("time", ["soon", "2026-13-01T00:00:00+00:00", "2026-01-01T00:00:00"])
def test_an_expiry_damaged_by_hand_is_named(tmp_path: Path, time: str) -> None:
    path = tmp_path / ".env"
    write(path)
    text = path.read_text().replace(EXPIRES.isoformat(timespec="milliseconds"), time)
    path.write_text(text)
    with pytest.raises(EnvFileError, match=re.escape(f"expires={time}")):
        record.parse(dotenv.read(path), "DATABASE_URL")
