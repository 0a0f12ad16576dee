"""Running ``initdb``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import program
from neonup_local.engine.account import SystemAccount
from neonup_local.engine.binaries import Engine

_SPECIAL = frozenset('"$`\\')


def run(engine: Engine, data: Path, account: SystemAccount, *, superuser: str) -> None:
    """Make a data directory in the empty folder ``data``.

    Raises:
        EngineError: ``initdb`` failed; shows what it said.
    """
    common = [
        *("-D", str(data), "-U", superuser, "--encoding=UTF8", "--wal-segsize=2"),
        *("--no-sync", "--no-instructions", "-A", "trust"),  # pg_hba.conf is rewritten at once
    ]
    with _plain_path(engine, account) as program_path:
        _run_with_locale(engine, program_path, account, common)


@contextmanager
def _plain_path(engine: Engine, account: SystemAccount) -> Iterator[Path]:
    """The path of ``initdb``: it hands its own to a shell, between double quotes only."""
    path = engine.program("initdb")
    if sys.platform == "win32" or not set(str(path)) & _SPECIAL:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="neonup-") as folder:
        Path(folder).chmod(0o755)
        # Three folders deep, for a wheel's libraries are found from there.
        copy = Path(folder, *engine.bin.parts[-4:-1])
        shutil.copytree(engine.bin.parents[2], copy.parents[1], symlinks=True)
        yield copy / "bin" / path.name


def _run_with_locale(engine: Engine, path: Path, account: SystemAccount, common: list[str]) -> None:
    if engine.major >= 17:
        _run(
            path,
            account,
            [*common, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
        )
        return
    try:
        _run(path, account, [*common, "--locale=C.UTF-8"])
    except EngineError:  # a system without that locale: initdb leaves the folder empty
        _run(path, account, [*common, "--locale=C"])


def _run(path: Path, account: SystemAccount, arguments: list[str]) -> None:
    program.run_named([str(path), *arguments], account, what="initdb")
