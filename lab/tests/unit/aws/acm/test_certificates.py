"""Lists, use, import, deletion and tags of certificates as on AWS."""

from __future__ import annotations

from pathlib import Path

import pytest
from acm_account import Certificates

from groundwork_lab.authority import Authority
from groundwork_lab.aws.acm import material
from groundwork_lab.settings import ACCOUNT, Settings


def arns(certificates: Certificates, **options: object) -> list[str]:
    found = certificates.acm.list_certificates(**options)["CertificateSummaryList"]
    return [each["CertificateArn"] for each in found]


@pytest.mark.correction("acm:ListCertificates", "Without key types, only RSA keys of 1024 and 2048 bits are listed.")
def test_elliptic_curves_are_listed_on_request(certificates: Certificates) -> None:
    rsa = certificates.request("a.test")
    curve = certificates.request("b.test", KeyAlgorithm="EC_prime256v1")
    assert arns(certificates) == [rsa]
    assert arns(certificates, Includes={"keyTypes": ["EC_prime256v1"]}) == [curve]
    assert arns(certificates, Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}) == [rsa, curve]
    assert arns(certificates, CertificateStatuses=["ISSUED"]) == []


@pytest.mark.correction("acm:ListCertificates", "Certificates are listed in pages, and sorted by creation on request.")
def test_certificates_in_pages(certificates: Certificates) -> None:
    made = [certificates.request(f"{letter}.test") for letter in "abc"]
    first = certificates.acm.list_certificates(MaxItems=2)
    assert [each["CertificateArn"] for each in first["CertificateSummaryList"]] == made[:2]
    assert arns(certificates, NextToken=first["NextToken"]) == made[2:]
    assert arns(certificates, SortBy="CREATED_AT", SortOrder="DESCENDING") == made[::-1]
    call = certificates.acm.list_certificates
    certificates.lab.refused("ValidationException", call, NextToken="nonsense")
    certificates.lab.refused("ValidationException", call, SortBy="CREATED_AT")


@pytest.mark.correction("acm:ListCertificates", "A summary has the names and the usages.", data_plane=True)
def test_a_summary(certificates: Certificates) -> None:
    arn = certificates.issued("example.test", "*.example.test")
    [told] = certificates.acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    assert (told["CertificateArn"], told["Status"], told["InUse"], told["Exported"]) == (arn, "ISSUED", False, False)
    assert told["SubjectAlternativeNameSummaries"] == ["example.test", "*.example.test"]
    assert told["HasAdditionalSubjectAlternativeNames"] is False
    assert (told["KeyUsages"], told["ExtendedKeyUsages"]) == (["DIGITAL_SIGNATURE"], ["TLS_WEB_SERVER_AUTHENTICATION"])


@pytest.mark.correction("acm:DeleteCertificate", "A certificate that is used is not deleted.", data_plane=True)
def test_a_certificate_in_use_is_not_deleted(certificates: Certificates) -> None:
    arn = certificates.issued("example.test")
    vpc = certificates.lab.vpc()
    certificates.lab.gateway(vpc)
    subnets = [certificates.lab.subnet(vpc, f"10.0.{number}.0/24", letter) for number, letter in enumerate("ab")]
    elb = certificates.lab.client("elbv2")
    balancer = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=answer)
    _use(balancer, arn)
    told = certificates.described(arn)
    assert (told["InUseBy"], told["RenewalEligibility"]) == ([balancer], "ELIGIBLE")
    message = certificates.lab.refused(
        "ResourceInUseException", certificates.acm.delete_certificate, CertificateArn=arn
    )
    assert message == f"Certificate {arn} in account {ACCOUNT} is in use."
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    certificates.acm.delete_certificate(CertificateArn=arn)
    told = certificates.lab.refused("ResourceNotFoundException", certificates.acm.get_certificate, CertificateArn=arn)
    assert told == f"Could not find certificate {arn}."


def _use(balancer: str, arn: str) -> None:
    """Give the certificate to the balancer's listener."""
    from moto.elbv2.models import elbv2_backends

    [listener] = elbv2_backends[ACCOUNT]["eu-central-1"].load_balancers[balancer].listeners.values()
    listener.certificates = [arn]


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    """Return another authority."""
    made = Authority(Settings("other", tmp_path / "other", tmp_path))
    made.start()
    return made


@pytest.mark.correction("acm:ImportCertificate", "The key, the certificate and its chain must belong together.")
def test_an_import_is_checked(certificates: Certificates, other: Authority, tmp_path: Path) -> None:
    certificate, key = other.issue(["example.test"])
    _, wrong = other.issue(["example.test"])
    mine = Authority(Settings("mine", tmp_path / "mine", tmp_path))
    mine.start()
    call = certificates.acm.import_certificate
    whole = {"Certificate": certificate, "PrivateKey": key, "CertificateChain": other.certificate}
    for options, message in (
        ({"PrivateKey": wrong}, "The private key does not match the certificate's public key."),
        ({"PrivateKey": b"x"}, "The private key is not supported."),
        ({"Certificate": b"x"}, "is not a PEM-encoded certificate"),
        ({"Certificate": certificate * 2}, "contains more than one certificate"),
        ({"CertificateChain": mine.certificate}, "The certificate chain does not contain the issuers"),
    ):
        assert message in certificates.lab.refused("ValidationException", call, **{**whole, **options})
    told = certificates.lab.refused("ValidationException", call, Certificate=certificate, PrivateKey=key)
    assert told == "Provided certificate is not a valid self signed. Provide its certificate chain."


@pytest.mark.correction("acm:ImportCertificate", "An import in place of another one keeps its ARN and its tags.")
def test_an_import_replaces_another_one(certificates: Certificates, other: Authority) -> None:
    call = certificates.acm.import_certificate
    arn = ""
    for names in (["example.test"], ["example.test", "www.example.test"]):
        certificate, key = other.issue(names)
        options = {"CertificateArn": arn} if arn else {"Tags": [{"Key": "a", "Value": "b"}]}
        arn = call(Certificate=certificate, PrivateKey=key, CertificateChain=other.certificate, **options)[
            "CertificateArn"
        ]
        told = certificates.described(arn)
        assert (told["Type"], told["Status"], told["SubjectAlternativeNames"]) == ("IMPORTED", "ISSUED", names)
        assert (told["Issuer"], told["KeyAlgorithm"]) == ("groundwork lab", "EC-prime256v1")
        assert material(ACCOUNT, arn) == (certificate, other.certificate, key)
    assert certificates.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    whole = {"Certificate": certificate, "PrivateKey": key, "CertificateChain": other.certificate}
    certificates.lab.refused("ResourceNotFoundException", call, **whole, CertificateArn=f"{arn[:-1]}x")
    requested = certificates.request("example.test")
    certificates.lab.refused("ValidationException", call, **whole, CertificateArn=requested)


@pytest.mark.correction("acm:AddTagsToCertificate", "A tag is named once in a request.")
def test_tags(certificates: Certificates) -> None:
    acm, arn = certificates.acm, certificates.request("example.test", Tags=[{"Key": "a", "Value": "1"}])
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a"}, {"Key": "b", "Value": "no"}])
    told = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
    assert told == [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]
    tagging = certificates.lab.client("resourcegroupstaggingapi")
    [found] = tagging.get_resources(ResourceTypeFilters=["acm:certificate"])["ResourceTagMappingList"]
    assert (found["ResourceARN"], len(found["Tags"])) == (arn, 2)
    twice = [{"Key": "d", "Value": "1"}, {"Key": "d", "Value": "2"}]
    certificates.lab.refused("InvalidTagException", acm.add_tags_to_certificate, CertificateArn=arn, Tags=twice)


@pytest.mark.correction("acm:ExportCertificate", "The lab has no exportable certificates.")
def test_other_operations_are_refused(certificates: Certificates) -> None:
    arn = certificates.request("example.test")
    call = certificates.acm.export_certificate
    told = certificates.lab.refused("ValidationException", call, CertificateArn=arn, Passphrase=b"secret")
    assert told.startswith("The lab has no ExportCertificate")


@pytest.mark.correction("acm:DescribeCertificate", "A certificate that does not exist is told in ACM's words.")
def test_an_unknown_certificate(certificates: Certificates) -> None:
    arn = f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/0a0a0a0a-0000-4000-8000-000000000000"
    call = certificates.acm.describe_certificate
    told = certificates.lab.refused("ResourceNotFoundException", call, CertificateArn=arn)
    assert told == f"Could not find certificate {arn}."
