"""``neonup serve``: a Neon on this machine."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from neonup import ProviderError, home, libpq
from neonup_emulator import readiness, temporary_home
from neonup_emulator.api.guard import LOOPBACK
from neonup_emulator.child import Child

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from neonup.plugin.locks import FileLock
    from neonup_emulator.neon.context import LocalNeon

PORT = 5540
_WHERE = "serve.url"
"""The file in a home that says where its server is."""
_EVERY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Addresses that stand for all of this machine, and the one that this machine itself uses."""
_SECONDS_TO_FINISH = 10
"""For requests that are under way at Ctrl-C; creating a database takes less than one."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(0, 65535),
    help="The port to listen on; 0 takes a free one.",
)  # fmt: skip
@click.option(
    "--home", "folder", type=click.Path(file_okay=False, path_type=Path),
    help="The folder for its databases, instead of NEONUP_HOME.",
)  # fmt: skip
@click.option(
    "--allow-remote", is_flag=True,
    help="Allow an address that other machines can reach. Anyone there can create databases.",
)  # fmt: skip
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME",
    help="A name that requests may use for this server, e.g. a compose service's. Repeatable.",
)  # fmt: skip
@click.option(
    "--fault", "faults", multiple=True, metavar="FAULT",
    help="Let requests of Neon API v2 fail, e.g. 'POST /projects=423x2', 'GET /projects/*=2s' or "
    "'* /projects=cut'. Repeatable.",
)  # fmt: skip
@click.option("--ephemeral", is_flag=True, help="Use an empty home that is deleted at the end.")
@click.option("--json", "as_json", is_flag=True, help="Report readiness as one line of JSON.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def serve(
    *,
    host: str,
    port: int,
    folder: Path | None,
    allow_remote: bool,
    allowed: tuple[str, ...],
    faults: tuple[str, ...],
    ephemeral: bool,
    as_json: bool,
    command: tuple[str, ...],
) -> None:
    """A Neon on this machine: Neon API v2 and Claimable Neon, over local Postgres.

    With a COMMAND after --, run it with the variables that point Neon's clients to this server,
    and exit when it ends.

    Servers start when somebody connects and stop when they are idle. Unclaimed databases are
    deleted after 72 hours. All data is kept between runs. Ctrl-C stops the server.
    """
    _check(host, allow_remote=allow_remote or bool(allowed), twice=ephemeral and folder is not None)
    folder = (folder or home()).absolute()
    from neonup_emulator.api import faults as fault
    from neonup_emulator.api.app import create_app

    theirs = libpq.take_out(os.environ)  # every server that it connects to is its own
    with ExitStack() as stack:
        if ephemeral:
            folder = stack.enter_context(temporary_home.of(folder))
        listener = stack.enter_context(_listen(host, port))
        stack.callback(_lock_home(folder).release)
        hosts = None if allow_remote else frozenset({host, *allowed})
        app = partial(create_app, hosts=hosts, faults=[fault.parse(text) for text in faults])
        exposed = None if host in LOOPBACK else (host, _name(host, allowed))
        ended = _serve(
            listener, folder, app, exposed, as_json=as_json, command=command, theirs=theirs
        )
    sys.exit(ended)


def _check(host: str, *, allow_remote: bool, twice: bool) -> None:
    """Refuse what cannot be served.

    Args:
        allow_remote: whether other machines may reach the address.
        twice: whether two homes were named.
    """
    if sys.platform == "win32":
        raise ProviderError(
            "neonup serve needs Linux or macOS.",
            remedy="Run it in WSL, or in a container.",
        )
    if host not in LOOPBACK and not allow_remote:
        raise ProviderError(
            f"{host} is an address that other machines can reach.",
            remedy="Name the host that clients use with --allow-host, or add --allow-remote if "
            "any may use it; or omit --host.",
        )
    if twice:
        raise click.UsageError("--ephemeral uses a temporary home: omit --home.")


def _serve(
    listener: socket.socket,
    folder: Path,
    app: Callable[[LocalNeon], Starlette],
    exposed: tuple[str, str] | None,
    *,
    as_json: bool,
    command: tuple[str, ...],
    theirs: dict[str, str],
) -> int:
    """Serve until a signal or the command ends; the exit status."""
    from neonup_emulator.neon.compute.addresses import Exposed
    from neonup_emulator.neon.context import LocalNeon

    pg_bin = os.environ.get("NEONUP_PG_BIN")
    neon = LocalNeon(
        folder,
        pg_bin=Path(pg_bin) if pg_bin else None,
        exposed=Exposed(*exposed) if exposed else None,
    )
    tls = neon.prepare()
    url = _url(*listener.getsockname()[:2])
    (folder / _WHERE).write_text(url, encoding="ascii")
    neon.start()
    variables = _variables(url, neon)
    if not command:
        ready = partial(readiness.tell, url, variables, folder, tls=tls, as_json=as_json)
        _run(listener, app(neon), ready=lambda stop: ready())
        return 0
    child = Child(command, {**theirs, **variables})
    _run(listener, app(neon), ready=child.start)
    return child.wait()


def _name(host: str, allowed: tuple[str, ...]) -> str:
    """What other machines call this one, for endpoints' hosts."""
    if allowed:
        return allowed[0]
    return socket.gethostname() if host in _EVERY else host


def _variables(url: str, neon: LocalNeon) -> dict[str, str]:
    """What clients have to set to use this server."""
    key, organization = neon.identity.default()
    # The official command line takes plain http for this name alone.
    named = url.replace("//127.0.0.1:", "//localhost:")
    return {
        "NEONUP_PROVIDER": "claimable",
        "NEONUP_NEON_NEW_URL": f"{url}/api/v1",
        "NEON_API_HOST": f"{named}/api/v2",
        "NEON_OAUTH_HOST": named,
        "NEON_API_KEY": key,
        "NEON_ORG_ID": organization,
        "CLAIMABLE_NEON_HOST": named,
        readiness.CONSOLE: f"{url}/sign-in?token={neon.console_token}",
        "NODE_EXTRA_CA_CERTS": str(neon.authority.path),
    }


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        ProviderError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    if os.name != "nt":  # there it would let two servers have one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise ProviderError(
            f"The local Neon cannot listen on {host}, port {port}: {reason}.",
            remedy=f"Another one may already be running. Otherwise choose: --port {port + 1}, or "
            "--port 0 for any free one.",
        ) from None
    return listener


def _lock_home(folder: Path) -> FileLock:
    """Hold the home for this server alone: at its end it stops the databases in there.

    Raises:
        ProviderError: another one has it, or the folder cannot be used.
    """
    from neonup.plugin.locks import FileLock, LockTimeout
    from neonup_local.service import home as homes

    lock = FileLock(folder / "locks" / f"{homes.SERVE}.lock", timeout=0)
    try:
        homes.make_folder(folder)
        homes.make_folder(folder / "locks")
        lock.acquire()
    except LockTimeout:
        raise ProviderError(
            f"Another neonup serve is running for {folder}: {_where(folder)}",
            remedy="Use that one, or choose another folder with --home.",
        ) from None
    except OSError as error:
        raise ProviderError(
            f"neonup's folder {folder} cannot be used: {error.strerror}.",
            remedy="Allow writing there, or choose another one with --home.",
        ) from None
    return lock


def _where(folder: Path) -> str:
    """The URL of the server that holds a folder."""
    try:
        return (folder / _WHERE).read_text(encoding="ascii")
    except OSError:
        return "it is still starting."


def _url(host: str, port: int) -> str:
    name = _EVERY.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _run(
    listener: socket.socket,
    app: Starlette,
    ready: Callable[[Callable[[], None]], None],
) -> None:
    """Serve until a signal asks to end; then finish what is under way and stop the databases."""
    import asyncio

    import uvicorn

    from neonup_emulator.api import ws_proxy

    class Server(uvicorn.Server):
        async def serve(self, sockets: list[socket.socket] | None = None) -> None:
            self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
            await super().serve(sockets)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready(self.end)

        async def main_loop(self) -> None:
            """Look once a second, not ten times: an idle server uses no CPU to speak of."""
            while not self.should_exit:
                await self.on_tick(0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.ended.wait(), 1)

        def end(self) -> None:
            self.should_exit = True
            self.loop.call_soon_threadsafe(self.ended.set)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Without uvicorn's record of the signal, with which it would die in the end."""
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.end()

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        ws_max_size=ws_proxy.LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # it never leaves the machine
    )
    Server(config).run(sockets=[listener])
