"""The import of certificates.

https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from groundwork_lab.aws.acm.state import Backend, Certificate
from groundwork_lab.aws.acm.tags import checked
from groundwork_lab.aws.context import refuse

CURVES = {"secp256r1": "prime256v1", "secp384r1": "secp384r1", "secp521r1": "secp521r1"}
SIZES = (1024, 2048, 3072, 4096)


def invalid(message: str) -> NoReturn:
    refuse("ValidationException", message)


class Given(NamedTuple):
    """What is imported, as PEM. Without a chain the certificate must be signed by itself."""

    certificate: bytes
    key: bytes
    chain: bytes | None


def imported(backend: Backend, given: Given, arn: str | None, tags: Iterable[Mapping[str, str]]) -> str:
    """Import a certificate, in place of the one with the ARN. Return its ARN. Refuse what does not fit together."""
    parsed = _certificate(given.certificate)
    _check_key(parsed, given.key)
    _check_chain(parsed, given.chain)
    before = backend.certificates.get(arn) if arn else None
    if arn and before is None:
        refuse("ResourceNotFoundException", f"Could not find certificate {arn}.")
    if before is not None and before.type != "IMPORTED":
        invalid("The certificate was issued by AWS Certificate Manager and cannot be replaced by an imported one.")
    if before is not None and tags:
        invalid("Tagging is not permitted on re-import.")
    made = Certificate(
        arn=arn or backend.new_arn(),
        names=_names(parsed),
        type="IMPORTED",
        algorithm=_algorithm(parsed.public_key()),
        status="ISSUED",
        cert=given.certificate,
        chain=given.chain or b"",
        key=given.key,
        tags=before.tags if before else checked(tags),
    )
    backend._certificates[made.arn] = made
    return made.arn


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError:
        invalid("The certificate field contains more than one certificate or is not a PEM-encoded certificate.")
    if pem.count(b"BEGIN CERTIFICATE") > 1:
        invalid("The certificate field contains more than one certificate. You can specify only one.")
    now = datetime.now(UTC)
    if found.not_valid_after_utc < now:
        invalid("The certificate has expired. Specify a valid certificate.")
    if found.not_valid_before_utc > now:
        invalid("The certificate is not in effect yet. Specify a valid certificate.")
    return found


def _check_key(certificate: x509.Certificate, pem: bytes) -> None:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        invalid("The private key is not supported. It must be PEM-encoded and not encrypted by a password.")
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        invalid("The private key does not match the certificate's public key.")


def _check_chain(certificate: x509.Certificate, chain: bytes | None) -> None:
    issued = certificate
    try:
        above = x509.load_pem_x509_certificates(chain) if chain else [certificate]
        for each in above:
            issued.verify_directly_issued_by(each)
            issued = each
    except (ValueError, TypeError, InvalidSignature):
        if chain is None:
            invalid("Provided certificate is not a valid self signed. Provide its certificate chain.")
        invalid("The certificate chain does not contain the issuers of the certificate, in their order, as PEM.")


def _names(certificate: x509.Certificate) -> list[str]:
    common = [str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return common or [""]
    found = extension.value.get_values_for_type(x509.DNSName)
    return list(dict.fromkeys([*common[:1], *found])) or [""]


def _algorithm(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in SIZES:
        return f"RSA_{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return f"EC_{CURVES[key.curve.name]}"
    invalid("The certificate's key algorithm is not supported.")
