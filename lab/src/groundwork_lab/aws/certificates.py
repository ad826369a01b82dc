"""The certificates of Certificate Manager for the services that use them: load balancers and distributions.

Certificates are in the backends of moto's ACM, whether they were imported or issued.
https://docs.aws.amazon.com/acm/latest/userguide/acm-services.html
"""

from __future__ import annotations

from typing import Any

import moto.acm.models
import moto.cloudfront.models
import moto.elbv2.models
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from groundwork_lab.aws.context import Context
from groundwork_lab.model import Certificate

EDGE_REGION = "us-east-1"  # of the certificates for CloudFront
RSA_SIZES = (2048, 3072, 4096)


def find(context: Context, arn: str) -> Any | None:
    """Return the certificate with this ARN (moto's class), or None. The caller holds the context's lock."""
    parts = arn.split(":")
    if len(parts) < 6 or parts[2] != "acm" or parts[4] != context.account:
        return None
    regions = moto.acm.models.acm_backends[context.account]
    return regions[parts[3]]._certificates.get(arn) if parts[3] in regions else None


def is_issued(found: Any) -> bool:
    """Return whether a certificate can be used: it is issued, or was imported, and has not expired."""
    return bool(found.status == "ISSUED")


def is_supported(found: Any) -> bool:
    """Return whether load balancers and distributions support the key: RSA with 2048 to 4096 bits, or EC.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html
    """
    key = x509.load_pem_x509_certificate(found.cert).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size in RSA_SIZES
    return isinstance(key, ec.EllipticCurvePublicKey)


def names(found: Any) -> tuple[str, ...]:
    """Return the names that a certificate covers, in lower case: the alternative names, or the common name."""
    certificate = x509.load_pem_x509_certificate(found.cert)
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return tuple(str(each.value).lower() for each in common)
    return tuple(name.lower() for name in alternative.value.get_values_for_type(x509.DNSName))


def covers(certified: tuple[str, ...], name: str) -> bool:
    """Return whether one of the certified names is `name`, or is a wildcard for its first label.

    An alias with a wildcard needs the same wildcard.
    https://www.rfc-editor.org/rfc/rfc6125#section-6.4.3
    """
    wanted = name.lower()
    return wanted in certified or f"*.{wanted.partition('.')[2]}" in certified


def read(context: Context, arn: str) -> Certificate:
    """Return the certificate with its chain and key. Raise LookupError if it does not exist.

    moto adds a root certificate of Amazon to each chain. No chain contains it here, because servers send no roots.
    """
    found = find(context, arn)
    if found is None:
        message = f"The certificate {arn} does not exist."
        raise LookupError(message)
    chain = x509.load_pem_x509_certificates(found.cert.strip() + b"\n" + (found.chain or b""))
    served = [chain[0], *(each for each in chain[1:] if each.subject != each.issuer and each != _AMAZON)]
    return Certificate(arn, b"".join(each.public_bytes(Encoding.PEM) for each in served), found.key.strip() + b"\n")


_AMAZON = x509.load_pem_x509_certificate(moto.acm.models.AWS_ROOT_CA)


def users(context: Context, arn: str) -> list[str]:
    """Return the ARNs of the load balancers and distributions that use a certificate, as ACM's InUseBy.

    https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html (InUseBy)
    """
    balancers = moto.elbv2.models.elbv2_backends[context.account][context.region].load_balancers.values()
    distributions = moto.cloudfront.models.cloudfront_backends[context.account]["aws"].distributions.values()
    return [
        *(each.arn for each in balancers if any(arn in used_by(one) for one in each.listeners.values())),
        *(each.arn for each in distributions if each.config["ViewerCertificate"].get("ACMCertificateArn") == arn),
    ]


def used_by(listener: Any) -> list[str]:
    """Return the ARNs of a listener's certificates (moto's class): the default one, then the certificate list."""
    return [*listener.certificates, *listener.listed]
