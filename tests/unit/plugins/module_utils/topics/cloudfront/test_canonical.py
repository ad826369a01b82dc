"""Configurations are compared by what they mean, merged without losing anything, and shown by what differs."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import (
    differences,
    merged,
    plain,
    whole,
)

NOTHING = (None, None)


def listed(*items: t.Any, **more: t.Any) -> dict[str, t.Any]:
    return {**more, "Quantity": len(items), **({"Items": list(items)} if items else {})}


@pytest.mark.parametrize(
    ("told", "canonical"),
    [
        ({"Aliases": listed("b", "a")}, {"Aliases": ["a", "b"]}),
        ({"Aliases": listed()}, {"Aliases": []}),
        ({"TrustedSigners": listed(Enabled=False)}, {"TrustedSigners": {"Enabled": False, "Items": []}}),
        (
            {"AllowedMethods": listed("HEAD", "GET", CachedMethods=listed("HEAD", "GET"))},
            {"AllowedMethods": {"Items": ["GET", "HEAD"], "CachedMethods": ["GET", "HEAD"]}},
        ),
        (
            {"Origins": listed({"Id": "b"}, {"Id": "a", "CustomHeaders": listed()})},
            {"Origins": [{"Id": "a", "CustomHeaders": []}, {"Id": "b"}]},
        ),
        (
            {"CacheBehaviors": listed({"PathPattern": "/b"}, {"PathPattern": "/a"})},
            {"CacheBehaviors": [{"PathPattern": "/b"}, {"PathPattern": "/a"}]},
        ),
        (
            {"ViewerCertificate": {"ACMCertificateArn": "arn", "Certificate": "arn", "CertificateSource": "acm"}},
            {"ViewerCertificate": {"ACMCertificateArn": "arn"}},
        ),
        ({"Comment": "", "Enabled": True}, {"Comment": "", "Enabled": True}),
    ],
)
def test_the_canonical_form(told: dict[str, t.Any], canonical: dict[str, t.Any]) -> None:
    assert plain(told) == canonical
    assert plain(whole(canonical)) == canonical


def test_what_is_none_is_not_sent() -> None:
    assert whole({"A": None, "B": [], "C": {"D": None, "E": 1}}) == {
        "B": {"Quantity": 0, "Items": []},
        "C": {"E": 1},
    }


@pytest.mark.parametrize(
    ("actual", "desired", "both"),
    [
        ({"A": 1, "B": 2}, {"B": 3}, {"A": 1, "B": 3}),
        ({"A": {"B": 1, "C": 2}}, {"A": {"B": 3}}, {"A": {"B": 3, "C": 2}}),
        ({"A": 1}, {"A": None}, {"A": None}),
        ({"Aliases": ["a", "b"]}, {"Aliases": ["c"]}, {"Aliases": ["c"]}),
        (
            {"Origins": [{"Id": "a", "Shield": 1}, {"Id": "gone"}]},
            {"Origins": [{"Id": "new"}, {"Id": "a", "Path": "/x"}]},
            {"Origins": [{"Id": "a", "Shield": 1, "Path": "/x"}, {"Id": "new"}]},
        ),
        (
            {"CacheBehaviors": [{"PathPattern": "/a", "Lambda": 1}, {"PathPattern": "/b", "Lambda": 2}]},
            {"CacheBehaviors": [{"PathPattern": "/b"}, {"PathPattern": "/a"}]},
            {"CacheBehaviors": [{"PathPattern": "/b", "Lambda": 2}, {"PathPattern": "/a", "Lambda": 1}]},
        ),
        (  # what goes with one certificate does not go with another
            {"ViewerCertificate": {"ACMCertificateArn": "arn", "MinimumProtocolVersion": "TLSv1.2_2021"}},
            {"ViewerCertificate": {"ACMCertificateArn": None, "CloudFrontDefaultCertificate": True}},
            {"ViewerCertificate": {"ACMCertificateArn": None, "CloudFrontDefaultCertificate": True}},
        ),
    ],
)
def test_merging(actual: dict[str, t.Any], desired: dict[str, t.Any], both: dict[str, t.Any]) -> None:
    assert merged(actual, desired) == both
    assert merged(both, desired) == both


def test_what_aws_fills_in_beside_its_own_certificate_makes_no_difference() -> None:
    actual = {
        "ViewerCertificate": {
            "CloudFrontDefaultCertificate": True,
            "SSLSupportMethod": "vip",
            "MinimumProtocolVersion": "TLSv1",
        }
    }
    desired = {"ViewerCertificate": {"CloudFrontDefaultCertificate": True, "ACMCertificateArn": None}}
    assert differences(actual, merged(actual, desired)) == NOTHING


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ({"A": 1}, {"A": 1}, NOTHING),
        ({"A": ""}, {}, NOTHING),
        ({}, {"A": None}, NOTHING),
        ({"A": []}, {"A": None}, NOTHING),
        ({"A": False}, {}, ({"A": False}, {"A": None})),
        ({"A": 0}, {}, ({"A": 0}, {"A": None})),
        ({"A": {"B": 1, "C": 2}}, {"A": {"B": 1, "C": 3}}, ({"A": {"C": 2}}, {"A": {"C": 3}})),
        (
            {"Origins": [{"Id": "a", "P": 1}, {"Id": "b", "P": 1}]},
            {"Origins": [{"Id": "a", "P": 1}, {"Id": "b", "P": 2}]},
            ({"Origins": {"b": {"P": 1}}}, {"Origins": {"b": {"P": 2}}}),
        ),
        (
            {"Origins": [{"Id": "a"}]},
            {"Origins": [{"Id": "b"}]},
            ({"Origins": {"a": {"Id": "a"}, "b": None}}, {"Origins": {"a": None, "b": {"Id": "b"}}}),
        ),
        (
            {"CacheBehaviors": [{"PathPattern": "/a"}, {"PathPattern": "/b"}]},
            {"CacheBehaviors": [{"PathPattern": "/b"}, {"PathPattern": "/a"}]},
            ({"CacheBehaviors": ["/a", "/b"]}, {"CacheBehaviors": ["/b", "/a"]}),
        ),
    ],
)
def test_differences(before: dict[str, t.Any], after: dict[str, t.Any], difference: tuple[t.Any, t.Any]) -> None:
    assert differences(before, after) == difference
