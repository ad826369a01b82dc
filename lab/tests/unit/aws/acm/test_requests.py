"""Requested certificates as on AWS: boto3, and a resolver that answers with the records of a test."""

from __future__ import annotations

from typing import Any

import pytest
from acm_account import Certificates
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from groundwork_lab.aws.acm import material
from groundwork_lab.aws.acm.issuing import Verdict, permits
from groundwork_lab.lookup import Found
from groundwork_lab.settings import ACCOUNT


@pytest.mark.correction("acm:DescribeCertificate", "A new certificate has no records yet, no serial and no usages.")
def test_a_new_certificate(certificates: Certificates) -> None:
    told = certificates.described(certificates.request("www.example.test", "*.example.test"))
    assert (told["Status"], told["Type"], told["DomainName"]) == (
        "PENDING_VALIDATION",
        "AMAZON_ISSUED",
        "www.example.test",
    )
    assert told["SubjectAlternativeNames"] == ["www.example.test", "*.example.test"]
    assert (told["KeyAlgorithm"], told["Issuer"], told["Subject"]) == ("RSA-2048", "Amazon", "CN=www.example.test")
    assert not told.keys() & {"Serial", "NotBefore", "NotAfter", "IssuedAt"}
    assert (told["InUseBy"], told["KeyUsages"], told["ExtendedKeyUsages"]) == ([], [], [])
    assert told["DomainValidationOptions"] == [
        {
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationStatus": "PENDING_VALIDATION",
            "ValidationMethod": "DNS",
        }
        for name in ("www.example.test", "*.example.test")
    ]


@pytest.mark.correction("acm:DescribeCertificate", "The validation record is that of the name, in each region.")
def test_a_name_has_one_validation_record(certificates: Certificates) -> None:
    elsewhere = certificates.lab.client("acm", region="us-east-1")
    here = certificates.request("example.test", "*.example.test", "www.example.test")
    there = elsewhere.request_certificate(DomainName="example.test", ValidationMethod="DNS")["CertificateArn"]
    assert there.startswith("arn:aws:acm:us-east-1:")
    certificates.later(5)
    apex, wildcard, www = (each["ResourceRecord"] for each in certificates.described(here)["DomainValidationOptions"])
    [other] = certificates.described(there, elsewhere)["DomainValidationOptions"]
    assert apex == wildcard == other["ResourceRecord"]
    assert apex["Value"] != www["Value"]
    assert apex["Name"].endswith(".example.test.")
    assert apex["Value"].endswith(".acm-validations.aws.")
    certificates.lab.refused("ResourceNotFoundException", elsewhere.describe_certificate, CertificateArn=here)


@pytest.mark.correction("acm:RequestCertificate", "It is issued when the records are found.", data_plane=True)
@pytest.mark.parametrize("algorithm", ["RSA_2048", "EC_prime256v1", "EC_secp384r1"])
def test_a_certificate_is_issued_when_its_records_are_found(certificates: Certificates, algorithm: str) -> None:
    arn = certificates.request("example.test", "*.example.test", KeyAlgorithm=algorithm)
    certificates.look()
    assert certificates.described(arn)["Status"] == "PENDING_VALIDATION"
    message = certificates.lab.refused(
        "RequestInProgressException", certificates.acm.get_certificate, CertificateArn=arn
    )
    assert arn in message
    with pytest.raises(LookupError):
        material(ACCOUNT, arn)
    certificates.enter(arn)
    certificates.look()
    told = certificates.described(arn)
    assert (told["Status"], told["KeyAlgorithm"]) == ("ISSUED", algorithm.replace("_", "-"))
    assert told["SignatureAlgorithm"] == "SHA256WITHECDSA"
    assert {each["ValidationStatus"] for each in told["DomainValidationOptions"]} == {"SUCCESS"}
    _check_material(certificates, arn)


def _check_material(certificates: Certificates, arn: str) -> None:
    pem, chain, key = material(ACCOUNT, arn)
    told = certificates.acm.get_certificate(CertificateArn=arn)
    assert (told["Certificate"].encode(), told["CertificateChain"].encode()) == (pem, chain)
    parsed = x509.load_pem_x509_certificate(pem)
    parsed.verify_directly_issued_by(x509.load_pem_x509_certificate(chain))
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["example.test", "*.example.test"]
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert load_pem_private_key(key, None).public_key().public_bytes(*form) == parsed.public_key().public_bytes(*form)


@pytest.mark.correction("acm:RequestCertificate", "Each name is validated.", data_plane=True)
def test_each_name_is_validated(certificates: Certificates) -> None:
    arn = certificates.request("a.test", "b.test")
    certificates.enter(arn)
    record = next(name for name, _ in certificates.records if name.endswith(".b.test"))
    value = certificates.records.pop((record, "CNAME"))
    certificates.records[record, "CNAME"] = ("_wrong.acm-validations.aws",)
    certificates.look()
    told = certificates.described(arn)
    assert [each["ValidationStatus"] for each in told["DomainValidationOptions"]] == ["SUCCESS", "PENDING_VALIDATION"]
    certificates.records[record, "CNAME"] = value
    certificates.look()
    assert certificates.described(arn)["Status"] == "ISSUED"


@pytest.mark.correction("acm:RequestCertificate", "A CAA record that forbids Amazon fails it.", data_plane=True)
def test_a_caa_record_forbids_the_certificate(certificates: Certificates) -> None:
    arn = certificates.request("www.example.test")
    certificates.enter(arn)
    certificates.records["example.test", "CAA"] = ("0 issue letsencrypt.org",)
    certificates.look()
    told = certificates.described(arn)
    assert (told["Status"], told["FailureReason"]) == ("FAILED", "CAA_ERROR")
    assert told["DomainValidationOptions"][0]["ValidationStatus"] == "FAILED"
    certificates.lab.refused("ResourceNotFoundException", certificates.acm.get_certificate, CertificateArn=arn)
    certificates.acm.delete_certificate(CertificateArn=arn)


@pytest.mark.parametrize(
    ("records", "code", "name", "verdict"),
    [
        ({}, "", "www.example.test", "permitted"),
        ({"example.test": ("0 issue amazon.com",)}, "", "www.example.test", "permitted"),
        ({"example.test": ("0 issue amazontrust.com; policy=1",)}, "", "www.example.test", "permitted"),
        ({"example.test": ("0 issue other.test", "0 issue awstrust.com")}, "", "www.example.test", "permitted"),
        ({"example.test": ("0 issue ;",)}, "", "example.test", "forbidden"),
        ({"example.test": ("0 iodef mailto:a@example.test",)}, "", "example.test", "permitted"),
        ({"example.test": ("128 unknown x", "0 issue amazon.com")}, "", "example.test", "forbidden"),
        (
            {"www.example.test": ("0 issue amazon.com",), "example.test": ("0 issue ;",)},
            "",
            "www.example.test",
            "permitted",
        ),
        ({"example.test": ("0 issue amazon.com", "0 issuewild ;")}, "", "*.example.test", "forbidden"),
        ({"example.test": ("0 issue amazon.com", "0 issuewild ;")}, "", "www.example.test", "permitted"),
        ({"example.test": ("0 issue ;", "0 issuewild amazon.com")}, "", "*.example.test", "permitted"),
        ({}, "SERVFAIL", "www.example.test", "unknown"),
    ],
)
def test_the_first_name_with_caa_records_decides(
    records: dict[str, tuple[str, ...]], code: str, name: str, verdict: Verdict
) -> None:
    def lookup(asked: str, kind: str) -> Found:
        values = {kind: records[asked]} if asked in records else {}
        return Found(code or "NOERROR", values)

    assert permits(lookup, name) == verdict


@pytest.mark.correction("acm:RequestCertificate", "A resolver that fails delays the certificate.", data_plane=True)
def test_a_resolver_that_fails_is_asked_again(certificates: Certificates) -> None:
    arn = certificates.request("example.test")
    certificates.enter(arn)
    certificates.codes["example.test", "CAA"] = "SERVFAIL"
    certificates.look()
    assert certificates.described(arn)["Status"] == "PENDING_VALIDATION"
    certificates.codes.clear()
    certificates.look()
    assert certificates.described(arn)["Status"] == "ISSUED"


@pytest.mark.correction("acm:RequestCertificate", "Validation times out after 72 hours.", data_plane=True)
def test_the_validation_times_out(certificates: Certificates) -> None:
    arn = certificates.request("example.test")
    certificates.later(72 * 3600 + 1)
    told = certificates.described(arn)
    assert (told["Status"], told["DomainValidationOptions"][0]["ValidationStatus"]) == (
        "VALIDATION_TIMED_OUT",
        "FAILED",
    )


@pytest.mark.correction("acm:RequestCertificate", "A token names the same request for an hour.")
def test_a_token_names_a_request(certificates: Certificates) -> None:
    arn = certificates.request("example.test", IdempotencyToken="one")
    assert certificates.request("example.test", IdempotencyToken="one") == arn
    assert certificates.request("example.test", "www.example.test", IdempotencyToken="one") != arn
    assert certificates.request("example.test") != certificates.request("example.test")
    certificates.later(3601)
    assert certificates.request("example.test", IdempotencyToken="one") != arn


@pytest.mark.correction("acm:RequestCertificate", "What ACM or the lab does not issue is refused.")
@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("ValidationException", {"DomainName": f"{'a' * 63}.test"}, "can have a maximum of 64 characters"),
        ("ValidationException", {"DomainName": "a_b.test"}, "failed to satisfy constraint"),
        ("ValidationException", {"DomainName": "a.*.test"}, "failed to satisfy constraint"),
        ("ValidationException", {"ValidationMethod": "EMAIL"}, "The lab has no validation by EMAIL"),
        ("ValidationException", {"KeyAlgorithm": "RSA_4096"}, "RSA_4096 is not supported"),
        ("ValidationException", {"Options": {"Export": "ENABLED"}}, "The lab has no exportable certificates"),
        ("ValidationException", {"Tags": [{"Key": "aws:a", "Value": "b"}]}, "AWS internal tags"),
        (
            "LimitExceededException",
            {"SubjectAlternativeNames": [f"a{number}.test" for number in range(10)]},
            "Certificate has too many domains.",
        ),
    ],
)
def test_requests_that_are_refused(
    certificates: Certificates, code: str, options: dict[str, Any], message: str
) -> None:
    request = {"DomainName": "example.test", "ValidationMethod": "DNS", **options}
    assert message in certificates.lab.refused(code, certificates.acm.request_certificate, **request)
    assert certificates.acm.list_certificates()["CertificateSummaryList"] == []


@pytest.mark.correction("acm:RequestCertificate", "Names of Amazon need an additional verification.")
def test_a_name_of_amazon(certificates: Certificates) -> None:
    told = certificates.described(certificates.request("d1.cloudfront.net"))
    assert (told["Status"], told["FailureReason"]) == ("FAILED", "ADDITIONAL_VERIFICATION_REQUIRED")
