"""The lab's certificate authority, which signs the certificates of the lab's TLS servers.

It exists as long as the lab. Its key is in the state folder, readable by root only, and it is in no trust store of the
machine. A program that `groundwork-lab exec` starts trusts it in addition to the machine's authorities.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from groundwork_lab.private import write_private
from groundwork_lab.settings import TRUST_STORE, Settings

VALID = timedelta(days=397)  # the maximum that browsers accept
SKEW = timedelta(hours=1)

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class Authority:
    """A certificate authority in the state folder's `authority`: `ca.pem`, `ca.key`, and `bundle.pem` for clients."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._certificate: x509.Certificate | None = None

    def start(self) -> None:
        """Create the key, the certificate, and the bundle with the machine's authorities. Raise OSError."""
        folder = self._settings.authority
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "groundwork lab")])
        self._certificate = (
            _certificate(name, name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        own = self._certificate.public_bytes(serialization.Encoding.PEM)
        machines = TRUST_STORE.read_bytes() if TRUST_STORE.exists() else b""
        write_private(folder / "ca.key", _pem(self._key))
        (folder / "ca.pem").write_bytes(own)
        self._settings.bundle.write_bytes(machines + own)

    def issue(self, names: Sequence[str]) -> tuple[bytes, bytes]:
        """Issue a new key and a certificate for host names, and return them as PEM: (certificate, key)."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self.sign(names, key.public_key()), _pem(key)

    @property
    def certificate(self) -> bytes:
        """Return the authority's own certificate as PEM."""
        return (self._settings.authority / "ca.pem").read_bytes()

    def sign(self, names: Sequence[str], key: PublicKey) -> bytes:
        """Return a certificate for host names and a public key, as PEM."""
        if self._key is None or self._certificate is None:
            message = "The authority has not been started."
            raise RuntimeError(message)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        signer = self._key.public_key()
        certificate = (
            _certificate(subject, self._certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False, exchanges=isinstance(key, rsa.RSAPublicKey)), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(subject: x509.Name, issuer: x509.Name, key: PublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
    )


def _usage(*, signs: bool, exchanges: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=exchanges,  # the key exchange of TLS 1.2 with RSA
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
