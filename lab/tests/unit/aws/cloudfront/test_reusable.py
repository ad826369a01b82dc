"""Origin access controls and policies, including the managed policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from groundwork_lab.aws.cloudfront import managed

NONE = {"HeaderBehavior": "none"}
KEY = {
    "EnableAcceptEncodingGzip": True,
    "EnableAcceptEncodingBrotli": True,
    "HeadersConfig": NONE,
    "CookiesConfig": {"CookieBehavior": "none"},
    "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": {"Quantity": 1, "Items": ["page"]}},
}
ORIGIN = {
    "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Origin"]}},
    "CookiesConfig": {"CookieBehavior": "none"},
    "QueryStringsConfig": {"QueryStringBehavior": "all"},
}
SECURITY = {"SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}}}
CONTROL = {"SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}


@dataclass
class Sort:
    """A kind of resource: its name in the API and in methods, and a minimal configuration."""

    name: str
    method: str
    plural: str
    least: dict[str, Any]
    behavior: str = ""  # the member of a behavior that refers to it

    def create(self, cdn: Any, name: str = "mine", **changes: Any) -> Any:
        config = {"Name": name, **self.least, **changes}
        return getattr(cdn.api, f"create_{self.method}")(**{f"{self.name}Config": config})

    def call(self, cdn: Any, verb: str, suffix: str = "") -> Any:
        return getattr(cdn.api, f"{verb}_{self.method}{suffix}")


CACHE = Sort("CachePolicy", "cache_policy", "cache_policies", {"MinTTL": 1} | {
    "ParametersInCacheKeyAndForwardedToOrigin": KEY
}, "CachePolicyId")  # fmt: skip
REQUEST = Sort(
    "OriginRequestPolicy", "origin_request_policy", "origin_request_policies", ORIGIN, "OriginRequestPolicyId"
)
HEADERS = Sort(
    "ResponseHeadersPolicy", "response_headers_policy", "response_headers_policies", SECURITY, "ResponseHeadersPolicyId"
)
ACCESS = Sort("OriginAccessControl", "origin_access_control", "origin_access_controls", CONTROL)
SORTS = pytest.mark.parametrize("sort", [CACHE, REQUEST, HEADERS, ACCESS], ids=lambda sort: sort.name)
POLICIES = pytest.mark.parametrize("sort", [CACHE, REQUEST, HEADERS], ids=lambda sort: sort.name)


@SORTS
def test_a_life(cdn: Any, sort: Sort) -> None:
    made = sort.create(cdn)
    own = made[sort.name]["Id"]
    config = made[sort.name][f"{sort.name}Config"]
    assert config | sort.least == config
    assert sort.call(cdn, "get")(Id=own)[sort.name] == made[sort.name]
    assert sort.call(cdn, "get", "_config")(Id=own)[f"{sort.name}Config"] == config

    update = sort.call(cdn, "update")
    changed = {f"{sort.name}Config": {**config, "Name": "renamed"}}
    cdn.lab.refused("InvalidIfMatchVersion", update, Id=own, **changed)
    cdn.lab.refused("PreconditionFailed", update, Id=own, IfMatch="E2QWRUHAPOMQZL", **changed)
    updated = update(Id=own, IfMatch=made["ETag"], **changed)
    assert updated["ETag"] != made["ETag"]
    assert updated[sort.name][f"{sort.name}Config"]["Name"] == "renamed"

    delete = sort.call(cdn, "delete")
    cdn.lab.refused("PreconditionFailed", delete, Id=own, IfMatch=made["ETag"])
    delete(Id=own, IfMatch=updated["ETag"])
    cdn.lab.refused(f"NoSuch{sort.name}", sort.call(cdn, "get"), Id=own)


@SORTS
def test_names_are_unique(cdn: Any, sort: Sort) -> None:
    sort.create(cdn)
    other = sort.create(cdn, "other")
    cdn.lab.refused(f"{sort.name}AlreadyExists", sort.create, cdn=cdn)
    wanted = {"Id": other[sort.name]["Id"], "IfMatch": other["ETag"]}
    config = {f"{sort.name}Config": {"Name": "mine", **sort.least}}
    cdn.lab.refused(f"{sort.name}AlreadyExists", sort.call(cdn, "update"), **wanted, **config)
    sort.call(cdn, "update")(**wanted, **{f"{sort.name}Config": {"Name": "other", **sort.least}})  # its own name


@SORTS
def test_what_a_distribution_refers_to_stays(cdn: Any, sort: Sort) -> None:
    made = sort.create(cdn)
    own = made[sort.name]["Id"]
    if sort.behavior:
        distribution = cdn.distribution(DefaultCacheBehavior=cdn.behavior(**{sort.behavior: own}))
    else:
        distribution = cdn.distribution(Origins=cdn.origin(OriginAccessControlId=own))
    delete = sort.call(cdn, "delete")
    cdn.lab.refused(f"{sort.name}InUse", delete, Id=own, IfMatch=made["ETag"])

    cdn.update(distribution["Distribution"]["Id"], DefaultCacheBehavior=managed_only(cdn), Origins=whole(cdn))
    delete(Id=own, IfMatch=made["ETag"])


def managed_only(cdn: Any) -> dict[str, Any]:
    config = cdn.distribution("only for its defaults")["Distribution"]["DistributionConfig"]
    return dict(config["DefaultCacheBehavior"])


def whole(cdn: Any) -> dict[str, Any]:
    return dict(cdn.origin(OriginPath="", CustomHeaders={"Quantity": 0}))


@POLICIES
def test_policies_that_aws_manages_stay_as_they_are(cdn: Any, sort: Sort) -> None:
    sort.create(cdn)
    listing = getattr(cdn.api, f"list_{sort.plural}")
    listed = listing(Type="managed")[f"{sort.name}List"]["Items"]
    assert {each["Type"] for each in listed} == {"managed"}
    assert len(listing()[f"{sort.name}List"]["Items"]) == len(listed) + 1
    custom = listing(Type="custom")[f"{sort.name}List"]["Items"]
    assert [each[sort.name][f"{sort.name}Config"]["Name"] for each in custom] == ["mine"]

    for each in listed:
        policy = each[sort.name]
        found = sort.call(cdn, "get")(Id=policy["Id"])
        assert found[sort.name] == policy
        version = {"Id": policy["Id"], "IfMatch": found["ETag"]}
        cdn.lab.refused("IllegalDelete", sort.call(cdn, "delete"), **version)
        config = {f"{sort.name}Config": policy[f"{sort.name}Config"]}
        cdn.lab.refused("IllegalUpdate", sort.call(cdn, "update"), **version, **config)


def test_the_managed_policies_that_sites_use(cdn: Any) -> None:
    optimized = cdn.api.get_cache_policy(Id="658327ea-f89d-4fab-a63d-7e88639e58f6")["CachePolicy"]["CachePolicyConfig"]
    assert (optimized["Name"], optimized["MinTTL"], optimized["DefaultTTL"], optimized["MaxTTL"]) == (
        "Managed-CachingOptimized",
        1,
        86400,
        31536000,
    )
    assert optimized["ParametersInCacheKeyAndForwardedToOrigin"]["EnableAcceptEncodingBrotli"] is True
    security = cdn.api.get_response_headers_policy(Id="67f7725c-6f97-4210-82d7-5512b31e9d03")
    parts = security["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert parts["FrameOptions"] == {"Override": False, "FrameOption": "SAMEORIGIN"}
    world = cdn.lab.plane.snapshot()
    assert set(managed.CACHE_POLICIES) == set(world.cache_policies)
    assert set(managed.ORIGIN_REQUEST_POLICIES) == set(world.origin_request_policies)
    assert set(managed.RESPONSE_HEADERS_POLICIES) == set(world.response_headers_policies)


def test_ttls_that_are_left_out(cdn: Any) -> None:
    config = CACHE.create(cdn, MinTTL=100000)["CachePolicy"]["CachePolicyConfig"]
    assert (config["DefaultTTL"], config["MaxTTL"]) == (100000, 31536000)


LISTED = {"Quantity": 1, "Items": ["a"]}
WRONG: list[tuple[str, Sort, dict[str, Any]]] = [
    ("InvalidTTLOrder", CACHE, {"MinTTL": 10, "DefaultTTL": 5}),
    ("InvalidArgument", CACHE, {"MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0}),
    ("InvalidArgument", CACHE, {"Name": "with spaces"}),
    (
        "InvalidArgument",
        CACHE,
        {"ParametersInCacheKeyAndForwardedToOrigin": {**KEY, "CookiesConfig": {"CookieBehavior": "whitelist"}}},
    ),
    (
        "InconsistentQuantities",
        REQUEST,
        {"CookiesConfig": {"CookieBehavior": "whitelist", "Cookies": {"Quantity": 3, "Items": ["a"]}}},
    ),
    (
        "TooManyCookiesInOriginRequestPolicy",
        REQUEST,
        {
            "CookiesConfig": {
                "CookieBehavior": "whitelist",
                "Cookies": {"Quantity": 11, "Items": [str(number) for number in range(11)]},
            }
        },
    ),
    ("InvalidArgument", HEADERS, {"SecurityHeadersConfig": {}}),
    (
        "InvalidArgument",
        HEADERS,
        {"CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "a b", "Value": "", "Override": True}]}},
    ),
    ("InvalidArgument", ACCESS, {"SigningProtocol": "sigv2"}),
    ("InvalidArgument", ACCESS, {"Name": "x" * 65}),
    ("UnsupportedOperation", ACCESS, {"OriginAccessControlOriginType": "lambda"}),
]


@pytest.mark.parametrize(("code", "sort", "changes"), WRONG)
def test_configurations_that_aws_refuses(cdn: Any, code: str, sort: Sort, changes: dict[str, Any]) -> None:
    cdn.lab.refused(code, sort.create, cdn=cdn, **{"name": "mine", **changes})


def test_quotas(cdn: Any) -> None:
    for number in range(20):
        CACHE.create(cdn, f"policy-{number}")
    cdn.lab.refused("TooManyCachePolicies", CACHE.create, cdn=cdn)


def test_lists_of_access_controls_come_in_pages(cdn: Any) -> None:
    made = {cdn.access_control(f"control-{number}")["OriginAccessControl"]["Id"] for number in range(3)}
    first = cdn.api.list_origin_access_controls(MaxItems="2")["OriginAccessControlList"]
    second = cdn.api.list_origin_access_controls(MaxItems="2", Marker=first["NextMarker"])["OriginAccessControlList"]
    assert (first["IsTruncated"], second["IsTruncated"]) == (True, False)
    assert {each["Id"] for each in (*first["Items"], *second["Items"])} == made
    assert first["Items"][0]["SigningBehavior"] == "always"
    assert set(cdn.lab.plane.snapshot().origin_access_controls) == made


@SORTS
def test_an_update_without_a_change(cdn: Any, sort: Sort) -> None:
    made = sort.create(cdn)
    config, etag = made[sort.name][f"{sort.name}Config"], made["ETag"]
    update, wanted = sort.call(cdn, "update"), {"Id": made[sort.name]["Id"]}
    same = update(**wanted, IfMatch=etag, **{f"{sort.name}Config": config})
    assert (same["ETag"], same[sort.name]) == (etag, made[sort.name])
    name = "Description" if sort is ACCESS else "Comment"
    other = update(**wanted, IfMatch=etag, **{f"{sort.name}Config": {**config, name: "new"}})
    assert other["ETag"] != etag
