"""``neonup serve``: a Neon on this machine."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neonup import ProviderError, home, libpq
from neonup_emulator import https as web
from neonup_emulator import readiness, temporary_home
from neonup_emulator.child import Child
from neonup_pages import http_server
from neonup_pages.guard import LOOPBACK

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from neonup.plugin.locks import FileLock
    from neonup_emulator.https import Https, KeyPair
    from neonup_emulator.neon.context import LocalNeon

PORT = 5540
_WHERE = "serve.url"
"""The file in a home that says where its server is."""


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
    "--tls", is_flag=True,
    help="Serve HTTPS, with a certificate of the home's own authority. With --allow-host NAME, "
    "endpoints are called ep-....NAME; with --port 443, Neon's serverless driver needs no "
    "settings.",
)  # fmt: skip
@click.option(
    "--tls-cert", "certificate", metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Serve HTTPS, with a certificate of your own (PEM).",
)  # fmt: skip
@click.option(
    "--tls-key", "key", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="The private key of --tls-cert, where it is not in the same file.",
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
    tls: bool,
    certificate: Path | None,
    key: Path | None,
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
    allowed = tuple(name.lower() for name in allowed if name)  # as requests are compared
    _check(host, allow_remote=allow_remote or bool(allowed), twice=ephemeral and folder is not None)
    if key is not None and certificate is None:
        raise click.UsageError("--tls-key is the key of --tls-cert: name that as well.")
    folder = (folder or home()).absolute()
    https = web.asked(allowed, tls=tls, certificate=certificate, key=key)
    from neonup_emulator.api import faults as fault
    from neonup_emulator.api.app import create_app

    theirs = libpq.take_out(os.environ)  # every server that it connects to is its own
    with ExitStack() as stack:
        if ephemeral:
            folder = stack.enter_context(temporary_home.of(folder))
        listener = stack.enter_context(http_server.listen(host, port, "The local Neon"))
        stack.callback(_lock_home(folder).release)
        patterns = https.patterns if https else ()
        hosts = None if allow_remote else frozenset({host, *allowed, *patterns})
        app = partial(create_app, hosts=hosts, faults=[fault.parse(text) for text in faults])
        neon = _local_neon(folder, host, allowed, https)
        ended = _serve(
            listener, folder, app, neon, https, as_json=as_json, command=command, theirs=theirs
        )
    sys.exit(ended)


def _check(host: str, *, allow_remote: bool, twice: bool) -> None:
    """Refuse what cannot be served.

    Args:
        allow_remote: whether other machines may reach the address.
        twice: whether two homes were named.
    """
    if sys.platform == "win32":
        from neonup_emulator.platforms import LOCAL_NEON

        raise LOCAL_NEON.refused()
    if host not in LOOPBACK and not allow_remote:
        raise ProviderError(
            f"{host} is an address that other machines can reach.",
            remedy="Name the host that clients use with --allow-host, or add --allow-remote if "
            "any may use it; or omit --host.",
        )
    if twice:
        raise click.UsageError("--ephemeral uses a temporary home: omit --home.")


def _local_neon(
    folder: Path, host: str, allowed: tuple[str, ...], https: Https | None
) -> LocalNeon:
    """What is served, with endpoints as the options say."""
    from neonup_emulator.neon.compute.addresses import Exposed
    from neonup_emulator.neon.context import LocalNeon

    below = https is not None and bool(allowed)
    exposed = None
    if below or host not in LOOPBACK:
        exposed = Exposed(host, _name(host, allowed), below)
    pg_bin = os.environ.get("NEONUP_PG_BIN")
    return LocalNeon(folder, pg_bin=Path(pg_bin) if pg_bin else None, exposed=exposed)


def _serve(
    listener: socket.socket,
    folder: Path,
    app: Callable[[LocalNeon], Starlette],
    neon: LocalNeon,
    https: Https | None,
    *,
    as_json: bool,
    command: tuple[str, ...],
    theirs: dict[str, str],
) -> int:
    """Serve until a signal or the command ends; the exit status."""
    tls = neon.prepare()
    host, port = listener.getsockname()[:2]
    url = web.url(host, port, https)
    settings = http_settings(https.pair(neon.authority, host) if https else None)
    (folder / _WHERE).write_text(url, encoding="ascii")
    neon.start()
    variables = _variables(url, neon, https)
    if not command:
        ready = partial(
            readiness.tell, url, variables, folder, tls=tls, https=https, as_json=as_json
        )
        http_server.run(listener, app(neon), lambda stop: ready(), **settings)
        return 0
    child = Child(command, {**theirs, **variables})
    http_server.run(listener, app(neon), child.start, **settings)
    return child.wait()


def http_settings(pair: KeyPair | None) -> dict[str, Any]:
    """Uvicorn's settings beside those that all pages have.

    Args:
        pair: what the server proves itself with over HTTPS; None: it speaks HTTP.
    """
    from neonup_emulator.api import ws_proxy

    return {
        "ws_max_size": ws_proxy.LARGEST_MESSAGE,
        "ws_per_message_deflate": False,  # it never leaves the machine
        "ssl_certfile": pair.certificate if pair else None,
        "ssl_keyfile": pair.key if pair else None,
    }


def _name(host: str, allowed: tuple[str, ...]) -> str:
    """What other machines call this one, for endpoints' hosts."""
    if allowed:
        return allowed[0]
    return socket.gethostname() if host in web.EVERY else host


def _variables(url: str, neon: LocalNeon, https: Https | None) -> dict[str, str]:
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
        **(https.trust(neon.authority) if https else {}),
    }


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
