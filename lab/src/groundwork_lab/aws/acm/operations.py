"""The operations of Certificate Manager that the lab has: from the members of a request to those of the response.

https://docs.aws.amazon.com/acm/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from groundwork_lab.aws.acm.importing import Given, imported, invalid
from groundwork_lab.aws.acm.issuing import KEYS
from groundwork_lab.aws.acm.state import RECORD_AFTER, Backend, Certificate, validation_record
from groundwork_lab.aws.acm.tags import checked
from groundwork_lab.aws.certificates import users
from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.validating import check, check_required

Request = Mapping[str, Any]
Members = dict[str, Any]

CERTIFICATES, NAMES, COMMON_NAME, PAGE, SHOWN = 2500, 10, 64, 100, 100
DEFAULT_KEYS = ("RSA_1024", "RSA_2048")
TOKEN = timedelta(hours=1)
AMAZON = ("amazonaws.com", "cloudfront.net", "elasticbeanstalk.com", "elb.amazonaws.com")


# Requests


def request_certificate(backend: Backend, request: Request) -> Members:
    """Request a certificate with DNS validation. The same request with the same token within an hour is one.

    https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
    """
    names = list(
        dict.fromkeys(each.lower() for each in (request["DomainName"], *request.get("SubjectAlternativeNames", ())))
    )
    algorithm, token = request.get("KeyAlgorithm", "RSA_2048"), request.get("IdempotencyToken")
    _check_request(request, names, algorithm)
    now = backend.context.clock()
    for each in backend.certificates.values():
        recent = each.token == token and now - each.requested < TOKEN.total_seconds()
        if token and recent and (each.names, each.algorithm) == (names, algorithm):
            return {"CertificateArn": each.arn}
    if len(backend.certificates) >= CERTIFICATES:
        refuse("LimitExceededException", f"Error: you have reached your limit of {CERTIFICATES} certificates.")
    made = Certificate(
        arn=backend.new_arn(),
        names=names,
        type="AMAZON_ISSUED",
        algorithm=algorithm,
        token=token,
        requested=now,
        validations=dict.fromkeys(names, "PENDING_VALIDATION"),
        transparency=(request.get("Options") or {}).get("CertificateTransparencyLoggingPreference", "ENABLED"),
        tags=checked(request.get("Tags") or ()),
    )
    if any(f".{name}".endswith(f".{domain}") for name in names for domain in AMAZON):
        made.status, made.failure = "FAILED", "ADDITIONAL_VERIFICATION_REQUIRED"
        made.validations = dict.fromkeys(names, "FAILED")
    backend._certificates[made.arn] = made
    return {"CertificateArn": made.arn}


def _check_request(request: Request, names: list[str], algorithm: str) -> None:
    if len(names[0]) > COMMON_NAME:
        invalid(f"The first domain name can have a maximum of {COMMON_NAME} characters: {names[0]}")
    if len(names) > NAMES:
        refuse("LimitExceededException", "Certificate has too many domains.")
    if request.get("CertificateAuthorityArn") or request.get("ManagedBy"):
        invalid("The lab has no private certificates, and none that CloudFront manages.")
    if (request.get("Options") or {}).get("Export") == "ENABLED":
        invalid("The lab has no exportable certificates.")
    method = request.get("ValidationMethod", "EMAIL")
    if method != "DNS":
        invalid(f"The lab has no validation by {method}; use ValidationMethod DNS.")
    if algorithm not in KEYS:
        invalid(f"The key algorithm {algorithm} is not supported for requested certificates: {', '.join(KEYS)}")


def import_certificate(backend: Backend, request: Request) -> Members:
    chain = request.get("CertificateChain")
    given = Given(
        _decoded(request["Certificate"], "certificate"),
        _decoded(request["PrivateKey"], "private key"),
        _decoded(chain, "certificate chain") if chain else None,
    )
    return {"CertificateArn": imported(backend, given, request.get("CertificateArn"), request.get("Tags") or ())}


def _decoded(text: str | bytes, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        invalid(f"The {what} is not PEM-encoded or is not valid.")


# Reads


def _found(backend: Backend, request: Request) -> Certificate:
    arn = request["CertificateArn"]
    found = backend.certificates.get(arn)
    if found is None:
        refuse("ResourceNotFoundException", f"Could not find certificate {arn}.")
    return found


def describe_certificate(backend: Backend, request: Request) -> Members:
    """Describe a certificate. It has its validation records a moment after the request.

    https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html
    """
    found = _found(backend, request)
    parsed, used = found.parsed, users(backend.context, found.arn)
    told: Members = {
        "CertificateArn": found.arn,
        "DomainName": found.domain,
        "SubjectAlternativeNames": found.names,
        "Subject": parsed.subject.rfc4514_string() if parsed else f"CN={found.domain}",
        "Issuer": _issuer(found),
        "Status": found.status,
        "KeyAlgorithm": found.algorithm.replace("_", "-"),
        "SignatureAlgorithm": _signature(found),
        "InUseBy": used,
        "Type": found.type,
        "KeyUsages": [{"Name": name} for name in _usages(found)],
        "ExtendedKeyUsages": [{"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}] if parsed else [],
        "RenewalEligibility": _renewal(found, used),
        "Options": {"CertificateTransparencyLoggingPreference": found.transparency, "Export": "DISABLED"},
        **_times(found),
    }
    if parsed:
        digits = f"{parsed.serial_number:032x}"
        told["Serial"] = ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))
    if found.failure:
        told["FailureReason"] = found.failure
    if found.type == "AMAZON_ISSUED":
        told["DomainValidationOptions"] = [_validation(backend, found, name) for name in found.names]
    return {"Certificate": told}


def _validation(backend: Backend, found: Certificate, name: str) -> Members:
    told: Members = {
        "DomainName": name,
        "ValidationDomain": name,
        "ValidationStatus": found.validations[name],
        "ValidationMethod": "DNS",
    }
    if backend.context.clock() - found.requested < RECORD_AFTER:
        return told
    record, value = validation_record(backend.account_id, name)
    return {**told, "ResourceRecord": {"Name": record, "Type": "CNAME", "Value": value}}


def _issuer(found: Certificate) -> str:
    parsed = found.parsed
    if found.type == "AMAZON_ISSUED" or parsed is None:
        return "Amazon"
    return parsed.issuer.rfc4514_string().rpartition("CN=")[2].partition(",")[0]


def _signature(found: Certificate) -> str:
    parsed = found.parsed
    if parsed is None:
        return "SHA256WITHRSA"
    name = parsed.signature_algorithm_oid._name.upper().replace("ENCRYPTION", "")
    algorithm, _, digest = name.partition("-WITH-")
    return f"{digest}WITH{algorithm}" if digest else name


def _usages(found: Certificate) -> list[str]:
    if not found.cert:
        return []
    return ["DIGITAL_SIGNATURE", *(["KEY_ENCIPHERMENT"] if found.algorithm.startswith("RSA") else [])]


def _renewal(found: Certificate, used: list[str]) -> str:
    renewable = found.type == "AMAZON_ISSUED" and found.status == "ISSUED" and used
    return "ELIGIBLE" if renewable else "INELIGIBLE"


def _times(found: Certificate) -> Members:
    parsed = found.parsed
    return {
        **({"NotBefore": parsed.not_valid_before_utc, "NotAfter": parsed.not_valid_after_utc} if parsed else {}),
        **({"IssuedAt": found.issued} if found.issued else {}),
        "ImportedAt" if found.type == "IMPORTED" else "CreatedAt": found.created,
    }


def get_certificate(backend: Backend, request: Request) -> Members:
    found = _found(backend, request)
    if found.pending:
        refuse("RequestInProgressException", f"The certificate {found.arn} is not issued yet.")
    if not found.cert:
        refuse("ResourceNotFoundException", f"Certificate {found.arn} is in status {found.status} and has no content.")
    chain = {"CertificateChain": found.chain.decode("ascii")} if found.chain else {}
    return {"Certificate": found.cert.decode("ascii"), **chain}


def list_certificates(backend: Backend, request: Request) -> Members:
    """List certificates, without `keyTypes` those with RSA keys of 1024 and 2048 bits only.

    https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html and API_Filters.html
    """
    if bool(request.get("SortBy")) != bool(request.get("SortOrder")):
        invalid("SortBy and SortOrder must be specified together.")
    includes = request.get("Includes") or {}
    kinds, statuses = includes.get("keyTypes") or DEFAULT_KEYS, request.get("CertificateStatuses")
    found = [each for each in backend.certificates.values() if each.algorithm in kinds]
    found = [each for each in found if not statuses or each.status in statuses]
    for member, of in (("keyUsage", _usages), ("extendedKeyUsage", _extended)):
        if wanted := set(includes.get(member) or ()) - {"ANY"}:
            found = [each for each in found if wanted <= set(of(each))]
    if includes.get("exportOption") == "ENABLED" or includes.get("managedBy"):
        found = []
    if request.get("SortOrder") == "DESCENDING":
        found.reverse()
    start = _start(request.get("NextToken"), len(found))
    end = start + int(request.get("MaxItems") or PAGE)
    following = {"NextToken": base64.b64encode(str(end).encode()).decode()} if end < len(found) else {}
    return {"CertificateSummaryList": [_summary(backend, each) for each in found[start:end]], **following}


def _extended(found: Certificate) -> list[str]:
    return ["TLS_WEB_SERVER_AUTHENTICATION"] if found.cert else []


def _start(token: str | None, length: int) -> int:
    try:
        start = int(base64.b64decode(token.encode(), validate=True)) if token else 0
    except (binascii.Error, ValueError):
        start = -1
    if not 0 <= start <= length:
        invalid("The specified NextToken is not valid.")
    return start


def _summary(backend: Backend, found: Certificate) -> Members:
    used = users(backend.context, found.arn)
    return {
        "CertificateArn": found.arn,
        "DomainName": found.domain,
        "SubjectAlternativeNameSummaries": found.names[:SHOWN],
        "HasAdditionalSubjectAlternativeNames": len(found.names) > SHOWN,
        "Status": found.status,
        "Type": found.type,
        "KeyAlgorithm": found.algorithm.replace("_", "-"),
        "KeyUsages": _usages(found),
        "ExtendedKeyUsages": _extended(found),
        "ExportOption": "DISABLED",
        "InUse": bool(used),
        "Exported": False,
        "RenewalEligibility": _renewal(found, used),
        **_times(found),
    }


def delete_certificate(backend: Backend, request: Request) -> Members:
    found = _found(backend, request)
    if users(backend.context, found.arn):
        message = f"Certificate {found.arn} in account {backend.account_id} is in use."
        refuse("ResourceInUseException", message)
    del backend._certificates[found.arn]
    return {}


# Tags


def add_tags_to_certificate(backend: Backend, request: Request) -> Members:
    found = _found(backend, request)
    found.tags = checked(request["Tags"], found.tags)
    return {}


def remove_tags_from_certificate(backend: Backend, request: Request) -> Members:
    """Remove tags. A tag with a value is removed only if it has this value.

    https://docs.aws.amazon.com/acm/latest/APIReference/API_RemoveTagsFromCertificate.html
    """
    found = _found(backend, request)
    for tag in request["Tags"]:
        if tag.get("Value") is None or found.tags.get(tag["Key"]) == tag["Value"]:
            found.tags.pop(tag["Key"], None)
    return {}


def list_tags_for_certificate(backend: Backend, request: Request) -> Members:
    return {"Tags": [{"Key": key, "Value": value} for key, value in _found(backend, request).tags.items()]}


OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "AddTagsToCertificate": add_tags_to_certificate,
    "DeleteCertificate": delete_certificate,
    "DescribeCertificate": describe_certificate,
    "GetCertificate": get_certificate,
    "ImportCertificate": import_certificate,
    "ListCertificates": list_certificates,
    "ListTagsForCertificate": list_tags_for_certificate,
    "RemoveTagsFromCertificate": remove_tags_from_certificate,
    "RequestCertificate": request_certificate,
}


def carried_out(backend: Backend, operation: str, request: Request) -> Members:
    """Carry out an operation. Refuse one that the lab does not have, and parameters that the model does not permit."""
    if operation not in OPERATIONS:
        invalid(f"The lab has no {operation}: it has certificates that are validated by DNS, and imported ones.")
    check_required("acm", operation, request, "ValidationException")
    check("acm", operation, request, "ValidationException")
    return OPERATIONS[operation](backend, request)
