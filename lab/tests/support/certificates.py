"""Certificates for tests: an authority, and certificates that it signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from groundwork_lab.model import Certificate
from groundwork_lab.settings import ACCOUNT, REGION

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate as PEM, with its key, and with the certificate of its authority as its chain."""

    certificate: bytes
    key: bytes
    chain: bytes

    def as_model(self, arn: str) -> Certificate:
        return Certificate(arn, self.certificate, self.key)


@cache
def _key(kind: str) -> Key:
    return rsa.generate_private_key(65537, int(kind)) if kind.isdigit() else ec.generate_private_key(ec.SECP256R1())


@cache
def _root() -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root of a test")])
    builder = _builder(name, name, _key("root")).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    return builder.sign(_key("root"), hashes.SHA256())


def root() -> bytes:
    """Return the certificate of the authority that signs all certificates."""
    return _root().public_bytes(Encoding.PEM)


@cache
def issued(*names: str, kind: str = "ec", days: int = 90) -> Issued:
    """Return a certificate for names. `kind` is `ec`, or the size of an RSA key."""
    key = _key(kind)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    certificate = _builder(subject, _root().subject, key, days).add_extension(alternative, False)
    return Issued(
        certificate.sign(_key("root"), hashes.SHA256()).public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        root(),
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, days: int = 90) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


def imported(certificate: Issued, region: str = REGION, arn: str | None = None) -> str:
    """Import a certificate into Certificate Manager, in place of the one with the `arn`, and return its ARN."""
    from moto.acm.models import acm_backends

    backend = acm_backends[ACCOUNT][region]
    return str(backend.import_certificate(certificate.certificate, certificate.key, certificate.chain, arn, []))
