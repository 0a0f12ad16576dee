"""A loopback tunnel that speaks TLS to a Postgres server for a client program that cannot.

``python -m neonup_local.tunnel PROGRAM [ARGUMENT...]`` runs a libpq program against the server
that the ``PG*`` variables name: the tunnel connects there and verifies its certificate as libpq
would for ``PGSSLMODE``; the program connects to the tunnel, in plain text, on this machine only.
The password passes through it as the SCRAM exchange alone. Channel binding ends at the tunnel.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import struct
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from neonup import destination, urls

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""What asks a server for TLS.

https://www.postgresql.org/docs/18/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST
"""

_SASL = struct.pack("!I", 10)  # AuthenticationSASL, followed by the names of mechanisms
_CONNECT_SECONDS = 30.0
_CHUNK = 65536  # bytes


class TunnelError(Exception):
    """The server could not be reached, or is not who it should be."""


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The TLS that libpq would speak with these variables.

    ``require`` verifies only where there is a root certificate file; ``verify-ca`` verifies the
    chain, ``verify-full`` the host's name as well.

    Raises:
        TunnelError: a certificate file is missing or unusable.
    """
    mode = environ.get("PGSSLMODE", "require")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = mode == "verify-full"
    folder = Path("~/.postgresql").expanduser()
    roots = environ.get("PGSSLROOTCERT") or str(folder / "root.crt")
    try:
        if Path(roots).exists() or mode.startswith("verify"):
            context.load_verify_locations(cafile=roots)
        else:
            context.verify_mode = ssl.CERT_NONE
        if revoked := environ.get("PGSSLCRL"):
            context.load_verify_locations(cafile=revoked)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
        certificate = environ.get("PGSSLCERT") or str(folder / "postgresql.crt")
        if Path(certificate).exists():
            key = environ.get("PGSSLKEY") or str(folder / "postgresql.key")
            context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise TunnelError(f"a certificate file cannot be used: {error}") from None
    return context


class Tunnel:
    """A listener on a free port of 127.0.0.1; each connection to it becomes one to the server.

    Args:
        servers: tried in this order.
        context: the TLS to speak.
    """

    def __init__(self, servers: Sequence[destination.ServerAddress], context: ssl.SSLContext):
        self._servers = servers
        self._context = context
        self._ready: asyncio.Queue[tuple[StreamReader, StreamWriter]] = asyncio.Queue()

    async def start(self) -> int:
        """Reach the server, then listen; the port.

        Raises:
            TunnelError: no server could be reached with TLS.
        """
        self._ready.put_nowait(await self._reach())
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = listener.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        # Cancelled at the program's end: asyncio would print that with a traceback.
        with suppress(OSError, TunnelError, asyncio.CancelledError):
            if self._ready.empty():
                server_reader, server_writer = await self._reach()
            else:
                server_reader, server_writer = self._ready.get_nowait()
            await asyncio.gather(
                _pump(reader, server_writer), _pump(server_reader, writer, _without_binding)
            )

    async def _reach(self) -> tuple[StreamReader, StreamWriter]:
        reasons = []
        for server in self._servers:
            host, port = server.host or "localhost", server.port
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await self._connect(host, server.address or host, port)
            except TimeoutError:
                reasons.append(f"{host}:{port}: no answer within {_CONNECT_SECONDS:.0f} s")
            except ssl.SSLCertVerificationError as error:
                reasons.append(f"{host}:{port}: its certificate: {error.verify_message}")
            except EOFError:
                reasons.append(f"{host}:{port}: the server closed the connection")
            except ConnectionError as error:  # asyncio's own text repeats the address
                reasons.append(f"{host}:{port}: {os.strerror(error.errno or 0)}")
            except (OSError, TunnelError) as error:
                reasons.append(f"{host}:{port}: {error}")
        raise TunnelError("; ".join(reasons))

    async def _connect(
        self, host: str, address: str, port: int
    ) -> tuple[StreamReader, StreamWriter]:
        reader, writer = await asyncio.open_connection(address, port)
        try:
            writer.write(SSL_REQUEST)
            if await reader.readexactly(1) != b"S":
                raise TunnelError("the server has no TLS")
            await writer.start_tls(self._context, server_hostname=host)
        except BaseException:
            writer.close()
            raise
        return reader, writer


async def _pump(
    reader: StreamReader,
    writer: StreamWriter,
    before: Callable[[StreamReader, StreamWriter], Awaitable[None]] | None = None,
) -> None:
    """Pass bytes on until the sender ends; a Postgres connection has no half-closed state."""
    try:
        if before is not None:
            await before(reader, writer)
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except (OSError, EOFError):
        pass
    finally:
        writer.close()


async def _without_binding(server: StreamReader, client: StreamWriter) -> None:
    """Pass on what comes before and with the authentication request, less channel binding.

    It binds to the TLS that ends here, and a libpq without TLS refuses a server that offers it.
    """
    kind = b""
    while kind not in {b"R", b"E"}:
        kind = await server.readexactly(1)
        (length,) = struct.unpack("!I", await server.readexactly(4))
        body = await server.readexactly(length - 4)
        if kind == b"R" and body.startswith(_SASL):
            names = body.removeprefix(_SASL).split(b"\0")
            body = _SASL + b"\0".join(name for name in names if not name.endswith(b"-PLUS"))
        client.write(kind + struct.pack("!I", len(body) + 4) + body)
    await client.drain()


async def _run(argv: Sequence[str]) -> int:
    servers = destination.servers(urls.PostgresUrl(), os.environ)
    tunnel = Tunnel(servers, tls_context(os.environ))
    port = await tunnel.start()
    elsewhere = ("PGSSL", "PGHOSTADDR", "PGREQUIRESSL")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(elsewhere)}
    environ |= {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGSSLMODE": "disable"}
    environ |= {"PGGSSENCMODE": "disable", "PGCHANNELBINDING": "disable"}
    # Ctrl-C reaches the program too, which cancels its query or ends; then the tunnel ends.
    signal.signal(signal.SIGINT, lambda *_: None)
    process = await asyncio.create_subprocess_exec(*argv, env=environ)
    return await process.wait()


def main(argv: Sequence[str]) -> int:
    """Run a program through the tunnel; its exit status, or 2 where the server is not reached."""
    try:
        return asyncio.run(_run(argv))
    except TunnelError as error:
        print(f"neonup: no TLS connection to the server: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
