"""Programs as processes of their own, as users start them, without loading Python each time.

Most programs that tests start are `neonup`, pytest and Django's ``manage.py``: hundreds of modules,
thousands of times. Where nothing speaks against it, such a process is forked from one that has
loaded them already (``forkserver.py``); everything else about it is real: streams, session, folder,
variables, signals, status. What looks at imports, or depends on what the interpreter reads when it
starts, is started as ever. (`multiprocessing` has such a server, but for functions, not programs.)
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from packaging.version import Version

from tests import forkserver

_FORKSERVER = Path(__file__).with_name("forkserver.py")
_OURS = ("neonup.*", "neonup_local.*", "psutil", "psycopg", "sqlite3", "tomllib")
_SERVED = (
    *_OURS,
    "fastapi",
    "fastapi_neon",
    "psycopg_pool",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvicorn.config",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
)
_LOADED = {
    "-c": (*_OURS, "neonup_cloud.*", "httpx"),
    "neonup": (
        *_OURS,
        "neonup_cloud.*",
        "neonup_emulator.*",
        "httpx",
        "rich.console",
        "rich.table",
    ),
    "pytest": (
        *_OURS,
        "asyncio",
        "unittest.mock",
        "pytest:anyio.pytest_plugin",
        "pytest:pytest_asyncio.plugin",
        "pytest:pytest_django.plugin",
        "pytest:pytest_timeout",
        "pytest:xdist.plugin",
    ),
    "uvicorn": _SERVED,
    "fastapi": (*_SERVED, "fastapi_cli.cli"),
    "django": (
        *_OURS,
        "django.core.management",
        "django.core.servers.basehttp",
        "django.db.backends.postgresql.base",
    ),
}
"""What each kind of program has imported by the time that it does its work."""
if Version(version("pytest")) < Version("8"):  # whose plugins cannot be loaded before it runs
    del _LOADED["pytest"]
_READ_AT_THE_START = ("PYTHON", "LANG", "LC_", "LD_", "MALLOC", "TZ", "COVERAGE")
_READ_LATER = ("PYTHONUNBUFFERED",)


def _kind(argv: Sequence[str]) -> str | None:
    """Which of the processes becomes such a program; None for none."""
    if len(argv) < 2 or argv[0] != sys.executable:
        return None
    if argv[1] == "-c":
        return "-c"
    if argv[1] == "-m" and len(argv) > 2:
        ours = "-c" if argv[2].startswith("tests.") else None
        return argv[2] if argv[2] in _LOADED else ours
    return "django" if Path(argv[1]).name == "manage.py" else None


def _read_at_the_start(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = ((name, value) for name, value in env.items() if name.startswith(_READ_AT_THE_START))
    return tuple(sorted(one for one in found if one[0] not in _READ_LATER))


@functools.cache
def _server(kind: str, start: tuple[tuple[str, str], ...], process: int) -> socket.socket:
    """Where requests go for programs of a kind that start with these variables.

    It ends with this process.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, _FORKSERVER, str(theirs.fileno()), *_LOADED[kind]],
            env=dict(start),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


class _Forked(subprocess.Popen[Any]):
    """Forked where that is possible and nothing unusual is asked for."""

    _answers: int | None = None

    def _execute_child(self, args: Any, *rest: Any) -> None:
        (
            executable, preexec_fn, _, pass_fds, cwd, env, _, _, shell,
            p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite,
            _, gid, gids, uid, umask, start_new_session, process_group,
        ) = rest  # fmt: skip
        unusual = executable or preexec_fn or pass_fds or shell or gid or gids or uid or umask != -1
        argv = [args] if isinstance(args, str) else [os.fspath(word) for word in args]
        variables = {**(os.environ if env is None else env)}
        kind = _kind(argv)
        start = _read_at_the_start(variables)
        alike = process_group == -1 and {*start} <= {*os.environ.items()}
        if kind is None or unusual or not alike:
            super()._execute_child(args, *rest)  # type: ignore[misc]
            return
        request = forkserver.Request(
            argv[1:], os.fspath(cwd or Path.cwd()), variables, start_new_session
        )
        given = enumerate((p2cread, c2pwrite, errwrite))
        streams = [number if file == -1 else file for number, file in given]
        self._answers, theirs = os.pipe()
        message = json.dumps(dataclasses.asdict(request)).encode()
        socket.send_fds(_server(kind, start, os.getpid()), [message], [*streams, theirs])
        os.close(theirs)
        self.pid = self._answer()
        self._child_created = True
        self._close_pipe_fds(  # type: ignore[attr-defined]
            p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite
        )

    def _answer(self) -> int:
        assert self._answers is not None
        answer = os.read(self._answers, forkserver.NUMBER.size)
        number: int = forkserver.NUMBER.unpack(answer)[0]
        return number

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._answers is None:
            waited: tuple[int, int] = super()._try_wait(wait_flags)  # type: ignore[misc]
            return waited
        if wait_flags & os.WNOHANG and not select.select([self._answers], [], [], 0)[0]:
            return 0, 0
        status = self._answer()
        os.close(self._answers)
        return self.pid, status

    def _internal_poll(self, _deadstate: int | None = None, **more: Any) -> int | None:
        if self._answers is None:
            return cast("int | None", super()._internal_poll(_deadstate, **more))  # type: ignore[misc]
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None:  # no other thread has waited
                    pid, status = self._try_wait(os.WNOHANG)
                    if pid:
                        self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return cast("int | None", self.returncode)


Program = _Forked if sys.platform == "linux" else subprocess.Popen
"""A `subprocess.Popen`."""


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    timeout: float = 240,
    **how: Any,
) -> subprocess.CompletedProcess[Any]:
    """As `subprocess.run`, with text where nothing else is said, and with both outputs captured.

    Args:
        argv: the program and its arguments.
        stdin: what it reads; None for nothing.
        timeout: seconds, after which it is killed.
        how: more of what `Program` takes.
    """
    captured = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    with Program(argv, stdin=source, **{"text": True, **captured, **how}) as program:
        try:
            stdout, stderr = program.communicate(stdin, timeout)
        except BaseException:
            program.kill()
            raise
    return subprocess.CompletedProcess(argv, program.returncode, stdout, stderr)
