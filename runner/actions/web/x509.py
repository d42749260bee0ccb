"""Certificates read: whose, by whom, from when until when, with what key and signature; everything here is text from
outside."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from runner.actions.web.text import clean_text

LONGEST_NAME = 200
MOST_NAMES = 50
WEAK_SIGNATURES = frozenset({"md5", "sha1"})
SMALLEST_RSA, SMALLEST_EC = 2048, 224


@dataclass(frozen=True)
class ReadCertificate:
    """A certificate of a chain, in DER, and what it says."""

    encoded: bytes

    @cached_property
    def _body(self) -> x509.Certificate:
        with warnings.catch_warnings():  # of what is against the rules, as a serial number below zero
            warnings.simplefilter("ignore")
            return x509.load_der_x509_certificate(self.encoded)

    @property
    def subject(self) -> str:
        """Whose it is: its common name, else its whole name; "" without one."""
        return _name(self._body.subject)

    @property
    def issuer(self) -> str:
        """Who issued it: organisation and common name."""
        organisation = self._body.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
        common = _name(self._body.issuer)
        first = clean_text(str(organisation[0].value), LONGEST_NAME) if organisation else ""
        return f"{first}: {common}" if first and first != common else common

    @property
    def begins(self) -> datetime:
        """From when it holds, in UTC."""
        return self._body.not_valid_before_utc

    @property
    def ends(self) -> datetime:
        """Until when it holds, in UTC."""
        return self._body.not_valid_after_utc

    @property
    def lifetime(self) -> timedelta:
        """How long it holds altogether."""
        return self.ends - self.begins

    @property
    def serial(self) -> str:
        """Its serial number in hex."""
        return f"{self._body.serial_number:x}"

    @property
    def fingerprint(self) -> str:
        """Its SHA-256 in hex."""
        return self._body.fingerprint(hashes.SHA256()).hex()

    def pem(self) -> bytes:
        """It as PEM, for keeping."""
        return self._body.public_bytes(serialization.Encoding.PEM)

    @property
    def self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return self._body.subject == self._body.issuer

    @property
    def names_its_issuer(self) -> bool:
        """Whether it says where its issuer's certificate is to be had: that of a public authority does."""
        try:
            places = self._body.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        except (x509.ExtensionNotFound, ValueError):
            return False
        return any(each.access_method == x509.oid.AuthorityInformationAccessOID.CA_ISSUERS for each in places)

    def follows(self, issuer: ReadCertificate) -> bool:
        """Whether the other certificate can be its issuer's, by name."""
        return self._body.issuer == issuer._body.subject

    @property
    def names(self) -> list[str]:
        """The names and addresses it is for."""
        try:
            shown = self._body.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            return []
        found = [*shown.get_values_for_type(x509.DNSName), *map(str, shown.get_values_for_type(x509.IPAddress))]
        return [clean_text(name, LONGEST_NAME) for name in found]

    @property
    def signature(self) -> str:
        """The hash that was signed: "sha256"; "" where the scheme has none of its own, as Ed25519."""
        try:
            algorithm = self._body.signature_hash_algorithm
        except UnsupportedAlgorithm:
            return ""
        return algorithm.name if algorithm else ""

    @property
    def key(self) -> tuple[str, int]:
        """The kind of its key ("RSA", "EC", "Ed25519", …) and its bits."""
        try:
            key = self._body.public_key()
        except UnsupportedAlgorithm:
            return "unknown", 0
        if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
            return "RSA" if isinstance(key, rsa.RSAPublicKey) else "DSA", key.key_size
        if isinstance(key, ec.EllipticCurvePublicKey):
            return "EC", key.curve.key_size
        kinds = {ed25519.Ed25519PublicKey: ("Ed25519", 256), ed448.Ed448PublicKey: ("Ed448", 456)}
        return next((known for kind, known in kinds.items() if isinstance(key, kind)), (type(key).__name__, 0))

    @property
    def weakness(self) -> str:
        """What is too weak in it, in words; "" when nothing is. A root's own signature proves nothing and may be."""
        kind, bits = self.key
        if self.signature in WEAK_SIGNATURES and not self.self_signed:
            return f"ditandatangani dengan {self.signature.upper()}"
        if (kind in ("RSA", "DSA") and bits < SMALLEST_RSA) or (kind == "EC" and bits < SMALLEST_EC):
            return f"kunci {kind} hanya {bits} bit"
        return ""


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return clean_text(str(common[0].value) if common else name.rfc4514_string(), LONGEST_NAME)
