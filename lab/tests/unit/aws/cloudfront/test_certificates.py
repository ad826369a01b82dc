"""Aliases and certificates of distributions as on AWS."""

from __future__ import annotations

from typing import Any

import pytest
from certificates import imported, issued

from groundwork_lab.aws import certificates

DEFAULT = {"CloudFrontDefaultCertificate": True}


def viewer(arn: str, **options: Any) -> dict[str, Any]:
    return {
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
        **options,
    }


def named(*aliases: str, **options: Any) -> dict[str, Any]:
    items = {"Items": list(aliases)} if aliases else {}
    return {"Aliases": {"Quantity": len(aliases), **items}, **options}


def certificate(*names: str, region: str = "us-east-1", **options: Any) -> str:
    return imported(issued(*names, **options), region)


def test_a_distribution_with_an_alias(cdn: Any) -> None:
    arn = certificate("example.com", "*.example.com")
    made = cdn.distribution(**named("www.example.com", "*.example.com", ViewerCertificate=viewer(arn)))["Distribution"]
    assert made["DistributionConfig"]["ViewerCertificate"] == {
        "CloudFrontDefaultCertificate": False,
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "Certificate": arn,
        "CertificateSource": "acm",
    }
    names = ["www.example.com", "*.example.com"]
    assert made["AliasICPRecordals"] == [{"CNAME": name, "ICPRecordalStatus": "APPROVED"} for name in names]
    told = cdn.lab.plane.snapshot().distributions[made["Id"]]
    assert told.certificate.chain == issued("example.com", "*.example.com").certificate
    assert certificates.users(cdn.lab.plane.context, arn) == [made["ARN"]]


def test_a_certificate_without_aliases(cdn: Any) -> None:
    cdn.distribution(**named(ViewerCertificate=viewer(certificate("example.com"))))


WRONG: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("InvalidViewerCertificate", {"region": "eu-central-1"}, {}),
    ("InvalidViewerCertificate", {"kind": "1024"}, {}),
    ("InvalidMinimumProtocolVersion", {}, {"MinimumProtocolVersion": "SSLv3"}),
    ("InvalidArgument", {}, {"MinimumProtocolVersion": "TLSv1.2"}),
    ("InvalidArgument", {}, {"SSLSupportMethod": "sni"}),
    ("UnsupportedOperation", {}, {"SSLSupportMethod": "vip"}),
    ("UnsupportedOperation", {}, {"SSLSupportMethod": "static-ip"}),
]


@pytest.mark.parametrize(("code", "of", "options"), WRONG)
def test_certificates_that_are_refused(cdn: Any, code: str, of: dict[str, Any], options: dict[str, Any]) -> None:
    arn = certificate("www.example.com", **of)
    config = cdn.config("one", **named("www.example.com", ViewerCertificate=viewer(arn, **options)))
    cdn.lab.refused(code, cdn.api.create_distribution, DistributionConfig=config)
    assert cdn.api.list_distributions()["DistributionList"]["Quantity"] == 0


@pytest.mark.parametrize(
    ("code", "alias"),
    [
        ("InvalidViewerCertificate", "example.com"),
        ("InvalidViewerCertificate", "a.b.example.com"),
        ("InvalidViewerCertificate", "*.b.example.com"),
        ("InvalidArgument", "w*.example.com"),
        ("InvalidArgument", "www..example.com"),
    ],
)
def test_aliases_that_are_refused(cdn: Any, code: str, alias: str) -> None:
    arn = certificate("*.example.com", "w*.example.com", "www..example.com")
    config = cdn.config("one", **named(alias, ViewerCertificate=viewer(arn)))
    cdn.lab.refused(code, cdn.api.create_distribution, DistributionConfig=config)


def test_a_certificate_that_is_not_issued(cdn: Any) -> None:
    arn = certificate("www.example.com")
    certificates.find(cdn.lab.plane.context, arn).status = "PENDING_VALIDATION"  # type: ignore[union-attr]
    config = cdn.config("one", **named("www.example.com", ViewerCertificate=viewer(arn)))
    cdn.lab.refused("InvalidViewerCertificate", cdn.api.create_distribution, DistributionConfig=config)


def test_an_alias_belongs_to_one_distribution(cdn: Any) -> None:
    arn = certificate("*.example.com")
    cdn.distribution("one", **named("www.example.com", ViewerCertificate=viewer(arn)))
    config = cdn.config("two", **named("WWW.example.com", ViewerCertificate=viewer(arn)))
    cdn.lab.refused("CNAMEAlreadyExists", cdn.api.create_distribution, DistributionConfig=config)
    made = cdn.distribution("two", **named("*.example.com", ViewerCertificate=viewer(arn)))
    updated = {"Id": made["Distribution"]["Id"], "IfMatch": made["ETag"]}
    config = {**made["Distribution"]["DistributionConfig"], **named("www.example.com")}
    cdn.lab.refused("CNAMEAlreadyExists", cdn.api.update_distribution, DistributionConfig=config, **updated)
    config = {**made["Distribution"]["DistributionConfig"], **named("*.example.com", "static.example.com")}
    cdn.api.update_distribution(DistributionConfig=config, **updated)


def test_a_distribution_gives_its_certificate_up(cdn: Any) -> None:
    arn = certificate("www.example.com")
    made = cdn.distribution(**named("www.example.com", ViewerCertificate=viewer(arn)))
    config = {**made["Distribution"]["DistributionConfig"], **named(ViewerCertificate=DEFAULT)}
    cdn.api.update_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=config)
    assert certificates.users(cdn.lab.plane.context, arn) == []
    assert cdn.lab.plane.snapshot().distributions[made["Distribution"]["Id"]].certificate is None


def test_aliases_that_conflict(cdn: Any) -> None:
    arn = certificate("*.example.com", "example.com")
    first = cdn.distribution("one", **named("www.example.com", "example.com", ViewerCertificate=viewer(arn)))
    second = cdn.distribution("two", **named("*.example.com", ViewerCertificate=viewer(arn)))["Distribution"]["Id"]

    def conflicting(alias: str) -> list[str]:
        found = cdn.api.list_conflicting_aliases(DistributionId=second, Alias=alias)["ConflictingAliasesList"]
        assert found["Quantity"] == len(found.get("Items", []))
        return [each["Alias"] for each in found.get("Items", [])]

    assert conflicting("www.example.com") == ["www.example.com", "*.example.com"]
    assert conflicting("*.example.com") == ["www.example.com", "*.example.com"]
    assert conflicting("example.com") == ["example.com"]
    assert conflicting("example.org") == []
    told = cdn.api.list_conflicting_aliases(DistributionId=second, Alias="example.com")["ConflictingAliasesList"]
    assert told["Items"][0]["DistributionId"] == "*" * 7 + first["Distribution"]["Id"][7:]
    assert told["Items"][0]["AccountId"] == "******789012"
