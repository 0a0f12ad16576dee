"""The certificate that local databases show: minted once per home, on this machine, for it alone.

It is self-signed. Clients of Neon ask for ``sslmode=require`` with channel binding, which proves
that both ends know the password and the certificate, and needs nobody's signature.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from neonup_local.engine.account import Account
from neonup_local.service import home as homes

_LIFETIME = timedelta(days=825)
"""The longest that every client's library accepts for a certificate of a server."""
_RENEW = timedelta(days=30)


def certificate(home: Path, account: Account) -> tuple[Path, Path]:
    """The certificate and its key, made or renewed where need be.

    Args:
        home: neonup's home; they are in its folder ``tls``.
        account: who runs Postgres, and so must be able to read the key. Nobody else can.
    """
    folder = home / "tls"
    found, key = folder / f"{account.uid}.crt", folder / f"{account.uid}.key"
    with homes.locked(home, homes.CERTIFICATE):
        homes.make_folder(folder)
        if not (key.exists() and _lasts(found)):
            _mint(found, key, account)
    return found, key


def _lasts(path: Path) -> bool:
    from cryptography import x509  # an import of some 40 ms

    try:
        known = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return known.not_valid_after_utc > datetime.now(UTC) + _RENEW


def _mint(path: Path, key_path: Path, account: Account) -> None:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "neonup on this machine")])
    now = datetime.now(UTC)
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    minted = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks of containers differ
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())  # channel binding hashes the certificate with it as well
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key_path, secret, 0o600, account)
    _write(path, minted.public_bytes(serialization.Encoding.PEM), 0o644, account)


def _write(path: Path, content: bytes, mode: int, account: Account) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    account.own(fresh)
    fresh.replace(path)
