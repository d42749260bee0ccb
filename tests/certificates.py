"""Certificates of every kind for TLS servers on 127.0.0.1: chains, weak ones, ones that are hardly any."""

from __future__ import annotations

import ssl
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

NAME = "127.0.0.1"


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and what was issued on the way up to it."""

    certificate: x509.Certificate
    key: Any
    above: Sequence[Issued] = ()

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a certificate is to be: its common name ("": no subject at all), days, names, key, hash."""

    common: str = NAME
    days: float = 60.0
    age: float = 1.0
    names: Sequence[str] = (NAME,)
    rsa_bits: int = 0
    sha1: bool = False
    authority: bool = False
    tells_issuer: bool = False


def issue(wish: Wish, issuer: Issued | None = None) -> Issued:
    """Given a wish, return a certificate of that issuer; without one, self-signed."""
    size = wish.rsa_bits
    key: Any = rsa.generate_private_key(65537, size) if size else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, wish.common)] if wish.common else [])
    above = None if wish.sha1 else issuer
    now = datetime.now(UTC)
    end = now + timedelta(days=wish.days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above.certificate.subject if above else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - timedelta(days=wish.age))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=wish.authority, path_length=None), critical=True)
    )
    if wish.names and not wish.authority:
        names = x509.SubjectAlternativeName([_general(name) for name in wish.names])
        builder = builder.add_extension(names, critical=not wish.common)
    if wish.tells_issuer:
        place = x509.UniformResourceIdentifier("http://ca.example/issuer.crt")
        access = x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, place)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    signed = builder.sign(above.key if above else key, hashes.SHA256())
    if wish.sha1 and issuer:
        signed = _sign_again(signed, issuer)
    return Issued(signed, key, (*issuer.above, issuer) if issuer else ())


def _sign_again(certificate: x509.Certificate, issuer: Issued) -> x509.Certificate:
    """The certificate signed with SHA-1, which only the program openssl still does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "ca.pem").write_bytes(issuer.pem)
        (folder / "ca.key").write_bytes(_private(issuer.key))
        words = "openssl x509 -in in.pem -CA ca.pem -CAkey ca.key -CAcreateserial -sha1 -days 60"
        done = subprocess.run(words.split(), cwd=folder, capture_output=True, check=True)
    return x509.load_pem_x509_certificate(done.stdout)


def _private(key: Any) -> bytes:
    encoded: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def server_context(folder: Path, issued: Issued, sent: Sequence[Issued] = ()) -> ssl.SSLContext:
    """Given a certificate and what else the server sends, return its context."""
    (folder / "server.crt").write_bytes(b"".join([issued.pem, *(each.pem for each in sent)]))
    (folder / "server.key").write_bytes(_private(issued.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context


def authority_file(folder: Path, *issued: Issued) -> str:
    """Given certificates, write them to a file to trust and return its path."""
    path = folder / f"trusted-{issued[0].certificate.serial_number:x}.pem"
    path.write_bytes(b"".join(each.pem for each in issued))
    return str(path)
