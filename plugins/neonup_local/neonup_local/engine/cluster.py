"""One data directory and its server: start, stop, and what can be told of it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import account as accounts
from neonup_local.engine import config, detach, postmaster, program, sockets
from neonup_local.engine.account import SystemAccount
from neonup_local.engine.binaries import Engine
from neonup_local.engine.config import ServerOptions
from neonup_local.engine.postmaster import Postmaster

_LOG_LIMIT = 1_000_000
_START_SECONDS = 60.0
"""Crash recovery of a large database takes its time; an ordinary start takes 0.03 s."""
_STOP_SECONDS = 20.0
_LEFTOVER_SECONDS = 10.0
_POLL_SECONDS = 0.002


class PortTaken(EngineError):
    """Another process listens on the port; the data is as it was."""


class _StillInUse(EngineError):
    """Processes of a postmaster that was killed still use the data directory."""


def major_version(data: Path) -> int:
    """The major version of a data directory.

    Raises:
        EngineError: it is none, or damaged.
    """
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        raise EngineError(
            f"{data} is not a complete Postgres data directory: its PG_VERSION cannot be read.",
            remedy="Nothing in it was changed. Restore it from a backup, or run neonup destroy.",
        ) from None


def port_is_free(port: int) -> bool:
    """Whether a server could listen on that port of 127.0.0.1 now."""
    with socket.socket() as probe:
        if sys.platform != "win32":  # as Postgres does; on Windows it would mean something else
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((postmaster.HOST, port))
        except OSError:
            return False
        return True


def start(
    engine: Engine, folder: Path, run_folder: Path | None, options: ServerOptions
) -> Postmaster:
    """Start the server of ``folder/data`` and return once it answers. Call it under its lock.

    A server of that data directory that is starting or stopping already is waited for.

    Args:
        engine: the programs, of the data directory's major version.
        folder: the database's own folder; the server writes into ``log`` there.
        run_folder: where its Unix socket goes, if the path is short enough; None: it has none.
        options: its port and the like.

    Returns:
        The server, with the port that it has: one that ran already keeps its own.

    Raises:
        PortTaken: another process has the port.
        EngineError: it did not start; shows its own last lines. The data is as it was.
    """
    data, log = folder / "data", folder / "log"
    account = accounts.of_data(data)
    for path in (engine.program("postgres"), folder):
        account.must_reach(path)
    try:
        _rotate(log)
        config.write(folder, engine, account, options)
    except OSError as error:
        raise EngineError(
            f"Postgres cannot be started in {folder}: {error.strerror}.",
            checked=[str(error.filename)],
            remedy="Free some space or allow writing there.",
        ) from None
    socket_dir = sockets.folder(run_folder, options.port, account) if run_folder else None
    command = _command(engine, data, options, socket_dir)
    patience = time.monotonic() + _LEFTOVER_SECONDS
    while (running := _await_other(data)) is None:
        try:
            return _start_once(command, account, data, log, options.port)
        except _StillInUse:
            # The postmaster was killed; its children need a moment to notice.
            if time.monotonic() > patience:
                raise
            time.sleep(0.1)
    return running


def is_running(data: Path) -> bool:
    """Whether a server of that data directory runs, ready or not."""
    server = postmaster.read(data)
    return server is not None and postmaster.alive(server.pid) and is_ours(server.pid, data)


def _start_once(
    command: list[str], account: SystemAccount, data: Path, log: Path, port: int
) -> Postmaster:
    with log.open("ab") as output:
        log.chmod(0o600)
        begin = output.tell()
        environ = program.environment()
        if (stale := _stale_pid(data)) is not None:
            environ["PG_GRANDPARENT_PID"] = str(stale)
        pid = detach.spawn(command, account, output, environ)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        server = postmaster.read(data)
        if server and server.pid == pid and server.ready:
            return server
        if not postmaster.alive(pid):
            raise _failure(data, log, begin, port)
        time.sleep(_POLL_SECONDS)
    raise EngineError(
        f"Postgres was not ready after {_START_SECONDS:g} s; it is still starting (pid {pid}).",
        checked=program.last_lines(_tail(log, begin)),
        remedy=f"Look at {log}, and try again later.",
    )


def _await_other(data: Path) -> Postmaster | None:
    """The server of that directory once it is ready, if one is up or on its way; else None."""
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if not is_running(data):
            return None
        server = postmaster.running(data)
        if server is not None and postmaster.answers(server.port):
            return server
        time.sleep(_POLL_SECONDS)
    raise EngineError(
        f"The Postgres that is running in {data} neither accepts connections nor ends.",
        remedy="See `neonup logs`; wait, or end that process.",
    )


def _command(
    engine: Engine, data: Path, options: ServerOptions, socket_dir: Path | None
) -> list[str]:
    settings = {
        "port": str(options.port),
        "unix_socket_directories": f'"{socket_dir}"' if socket_dir else "",
        **options.settings,
    }
    return [str(engine.program("postgres")), "-D", str(data), *config.arguments(settings)]


def _stale_pid(data: Path) -> int | None:
    """The pid in a stale ``postmaster.pid``, where something has that number.

    That is another process, or the old server that nobody has reaped (containers often have no
    init that does). Only Postgres decides about a stale file: it is told which pid is no postmaster
    of this data, as pg_ctl tells it, and still checks whether somebody uses the data's shared
    memory.
    """
    server = postmaster.read(data)
    if server is None or not postmaster.is_taken(server.pid) or is_running(data):
        return None
    return server.pid


def is_ours(pid: int, data: Path) -> bool:
    """Whether the process is the postmaster of that data directory, as far as can be told."""
    import psutil

    try:
        process = psutil.Process(pid)
        line = process.cmdline()
        name = process.name()
        if "-D" in line:
            return Path(line[line.index("-D") + 1]).resolve() == data.resolve()
        # Started by somebody else, e.g. through pg_ctl with PGDATA: its working directory tells.
        return "postgres" in name and Path(process.cwd()).resolve() == data.resolve()
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):
        return True  # not to be looked at: do not claim that it is not


def _failure(data: Path, log: Path, begin: int, port: int) -> EngineError:
    text = _tail(log, begin)
    lines = program.last_lines(text)
    if "could not create any TCP/IP sockets" in text or "Address already in use" in text:
        return PortTaken(f"Port {port} is taken by another process.", checked=lines)
    if "pre-existing shared memory block" in text:
        return _StillInUse(
            f"Orphaned processes of a killed Postgres still use {data}.",
            checked=lines,
            remedy="Wait until they have ended, or end them.",
        )
    if "lock file" in text and "already exists" in text:
        return EngineError(
            f"Another Postgres seems to be running in {data}.",
            checked=lines,
            remedy="Stop it; if there is none, remove the stale file that the message names.",
        )
    return EngineError(
        f"Postgres did not start in {data}.",
        checked=lines,
        remedy=f"The data is unchanged. See {log}.",
    )


def _tail(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")


def _rotate(log: Path) -> None:
    try:
        if log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".1"))
    except FileNotFoundError:
        pass


def stop(data: Path, *, timeout: float = _STOP_SECONDS, immediately: bool = False) -> bool:
    """Stop the server of a data directory, cutting connections. Call it under its lock.

    Args:
        data: the data directory.
        timeout: in seconds.
        immediately: without writing anything down, for data that nobody needs any more.

    Returns:
        False where none was running.

    Raises:
        EngineError: it goes on running after ``timeout`` seconds.
    """
    server = postmaster.read(data)
    if server is None or not is_running(data):
        return False
    if sys.platform == "win32":
        import psutil

        psutil.Process(server.pid).terminate()
    else:
        # "fast": roll back, checkpoint, leave; "immediate": leave
        os.kill(server.pid, signal.SIGQUIT if immediately else signal.SIGINT)
    deadline = time.monotonic() + timeout
    while postmaster.alive(server.pid):
        if time.monotonic() > deadline:
            raise EngineError(
                f"Postgres (pid {server.pid}) is still running {timeout:g} s after it was "
                "asked to stop.",
                checked=[str(data)],
                remedy=f"Wait, or end the process: {_how_to_end(server.pid)}",
            )
        time.sleep(_POLL_SECONDS)
    if server.socket_dir:
        sockets.remove(Path(server.socket_dir))
    return True


def _how_to_end(pid: int) -> str:
    return f"taskkill /pid {pid} /f" if sys.platform == "win32" else f"kill -QUIT {pid}"
