"""Certificates of endpoints, signed by an authority of the home: clients can verify both names."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from neonup_local.engine.account import SystemAccount
from neonup_local.service import home as homes

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_LIFETIME = timedelta(days=825)
"""The longest that every client's library accepts for a certificate of a server."""

_LONGEST_COMMON_NAME = 64
"""Characters (RFC 5280, appendix A.1); clients look at the alternative names alone."""


class Authority:
    """Signs certificates.

    Args:
        folder: where its own certificate and key are, and those that it signs.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._loaded: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None
        homes.make_folder(folder)

    @property
    def path(self) -> Path:
        """The file of its own certificate, which clients have to trust."""
        self._load()
        return self._folder / "authority.crt"

    def certificate(self, address: str, account: SystemAccount) -> tuple[Path, Path]:
        """The certificate and the key of a server, created where they are missing.

        Args:
            address: what the server is reached by.
            account: who runs the server, and so must be able to read the key.
        """
        certificate_path, key_path = (
            self._folder / f"{address}.crt",
            self._folder / f"{address}.key",
        )
        if not (certificate_path.exists() and key_path.exists()):
            self._sign(certificate_path, key_path, ["localhost", address], account)
        return certificate_path, key_path

    def renew(self, name: str, names: Sequence[str]) -> tuple[Path, Path]:
        """A new certificate and key of a server that this process itself is.

        Args:
            name: of its files.
            names: names, patterns such as ``*.neon.test``, and addresses that it is for.
        """
        path, key_path = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        self._sign(path, key_path, names, None)
        return path, key_path

    def bundle(self, others: bytes) -> Path:
        """A file with certificates of other authorities, in PEM, and with its own."""
        path, own = self._folder / "bundle.crt", self.path.read_bytes()
        _write(path, others if own in others else others.rstrip() + b"\n" + own, 0o644, None)
        return path

    def forget(self, address: str) -> None:
        """Remove a server's certificate and key."""
        (self._folder / f"{address}.crt").unlink(missing_ok=True)
        (self._folder / f"{address}.key").unlink(missing_ok=True)

    def _sign(
        self, path: Path, key_path: Path, names: Sequence[str], account: SystemAccount | None
    ) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        issuer, issuer_key = self._load()
        key = ec.generate_private_key(ec.SECP256R1())
        signed = (
            _builder(f"neonup {path.stem}", issuer.subject)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName(map(_name, names)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                critical=False,
            )
            .sign(issuer_key, hashes.SHA256())
        )
        _write(key_path, _secret(key), 0o600, account)
        _write(path, _public(signed), 0o644, account)

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        if self._loaded:
            return self._loaded
        path, key_path = self._folder / "authority.crt", self._folder / "authority.key"
        if path.exists() and key_path.exists():
            loaded = serialization.load_pem_private_key(key_path.read_bytes(), None)
            assert isinstance(loaded, ec.EllipticCurvePrivateKey)  # noqa: S101 - written below
            key, certificate = loaded, x509.load_pem_x509_certificate(path.read_bytes())
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "neonup local Neon")])
            certificate = (
                _builder("neonup local Neon", name)
                .public_key(key.public_key())
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_signing_only(), critical=True)
                .add_extension(
                    x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
                )
                .sign(key, hashes.SHA256())
            )
            _write(key_path, _secret(key), 0o600, None)
            _write(path, _public(certificate), 0o644, None)
        self._loaded = (certificate, key)
        return self._loaded


def _signing_only() -> x509.KeyUsage:
    """What an authority's key is for; Python 3.13 wants it to be said."""
    from cryptography import x509

    unused = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    more = ("key_agreement", "encipher_only", "decipher_only")
    return x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, **dict.fromkeys((*unused, *more), False)
    )


def _builder(common_name: str, issuer: x509.Name) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    subject = x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name[:_LONGEST_COMMON_NAME])
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([subject]))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks of containers differ
        .not_valid_after(now + _LIFETIME)
    )


def _name(address: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _secret(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes, mode: int, account: SystemAccount | None) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    if account is not None:
        account.own(fresh)
    fresh.replace(path)
