"""HTTPS for ``neonup serve``: its certificate, the names below which clients look for it."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neonup import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neonup_emulator.neon.compute.authority import Authority

EVERY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Addresses that stand for all of this machine, and the one that this machine itself uses."""
PORT = 443
"""Where Neon's driver looks for it, whatever port the connection string has."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_LONGEST = 200
"""Characters of a name that leave room for an endpoint's id: DNS takes 253."""


@dataclass(frozen=True)
class KeyPair:
    """What a server proves itself with.

    Args:
        certificate: a file in PEM.
        key: the file of its private key; None: that of the certificate.
    """

    certificate: Path
    key: Path | None


@dataclass(frozen=True)
class Https:
    """What was asked for by ``--tls`` and ``--tls-cert``.

    Args:
        names: of this server; endpoints have names of their own below the first.
        own: the user's certificate; None: the authority of the home signs one.
    """

    names: tuple[str, ...]
    own: KeyPair | None = None

    @property
    def patterns(self) -> frozenset[str]:
        """The names below those of the server, e.g. ``*.neon.test``."""
        return frozenset(f"*.{name}" for name in self.names if _is_domain(name))

    def pair(self, authority: Authority, host: str) -> KeyPair:
        """The certificate and the key; one of the home's authority is for the names of today.

        Args:
            host: the address that it listens on.
        """
        if self.own is not None:
            return self.own
        bound = socket.gethostname() if host in EVERY else host
        names = dict.fromkeys([*_LOOPBACK, bound, *self.names, *sorted(self.patterns)])
        usable = [name for name in names if name.isascii()]  # IDNA is for who asks
        return KeyPair(*authority.renew("_https", usable))  # no host has such a name

    def trust(self, authority: Authority) -> dict[str, str]:
        """The variables with which Python's clients and curl trust the authority, and all others.

        Where the certificate is the user's own, so is the trust in it.
        """
        if self.own is not None:
            return {}
        import certifi

        others = Path(ssl.get_default_verify_paths().cafile or certifi.where())
        bundle = authority.bundle(others.read_bytes())
        return dict.fromkeys(_TRUST, str(bundle))


def asked(
    names: Iterable[str], *, tls: bool, certificate: Path | None, key: Path | None
) -> Https | None:
    """What the options ask for; None: HTTP.

    Raises:
        ProviderError: a file cannot be used, or no endpoint can have a name below the first name.
    """
    own = None
    if certificate is not None:
        own = KeyPair(certificate, key)
        _load(own)
    elif not tls:
        return None
    https = Https(tuple(names), own)
    if https.names and not _is_domain(https.names[0]):
        raise ProviderError(
            f"With HTTPS, endpoints have names below {https.names[0]}, for which no certificate "
            "is valid.",
            checked=["Clients take a certificate for *.NAME where NAME is a domain with a dot."],
            remedy="Put another name first, e.g. --allow-host neon.test.",
        )
    return https


def url(host: str, port: int, https: Https | None) -> str:
    """The root of the server, at which this machine itself reaches it.

    Args:
        host: the address that it listens on.
        port: the port there.
        https: None: it speaks HTTP.
    """
    name = EVERY.get(host, host)
    if https is not None and https.own is not None and https.names:
        name = https.names[0]  # the user's certificate is hardly for an address
    place = f"[{name}]" if ":" in name else name
    if https is None:
        return f"http://{place}:{port}"
    return f"https://{place}" if port == PORT else f"https://{place}:{port}"


def _is_domain(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return len(name) <= _LONGEST and _DOMAIN.fullmatch(name) is not None
    return False


def _load(pair: KeyPair) -> None:
    """Try the files, which otherwise fail in the middle of the start, or ask at the terminal."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            pair.certificate, pair.key, password=lambda: ""
        )
    except (OSError, ValueError) as error:
        key = f" with the key {pair.key}" if pair.key else ""
        raise ProviderError(
            f"The certificate {pair.certificate}{key} cannot be used: {error}.",
            remedy="--tls-cert takes a file in PEM, --tls-key its private key without a "
            "passphrase; the key may be in the file of the certificate instead.",
        ) from None
