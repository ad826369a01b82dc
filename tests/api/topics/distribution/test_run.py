"""Distributions against the lab's control plane: plan = run, nothing twice, calls counted, nothing of others lost."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.run import converge_distribution
from groundwork_lab.api import Fault
from groundwork_lab.aws.cloudfront.answers import OPERATIONS
from groundwork_lab.aws.cloudfront.state import Backend
from groundwork_lab.aws.cloudfront.world import backend_of

Make = t.Callable[..., dict[str, t.Any]]
Furnish = t.Callable[[t.Any], None]
NO_LIST = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 0}
EVERYTHING: dict[str, t.Any] = {
    "behavior": {
        "cache_policy": "site",
        "response_headers_policy": "site",
        "functions": {"viewer-request": "site"},
    },
    "behaviors": [
        {"path": "/assets/*", "response_headers_policy": "SecurityHeadersPolicy"},
        {"path": "/api/*", "cache_policy": "CachingDisabled", "methods": "all", "compress": False},
    ],
    "error_pages": [{"code": 404, "page": "/404.html"}, {"code": 500, "ttl": 0}],
    "default_root_object": "index.html",
    "comment": "the site",
}


def config_of(cloud: Cloud) -> dict[str, t.Any]:
    """The configuration of the only distribution, without what AWS gives it."""
    cloudfront = cloud.of("cloudfront")
    (one,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    return t.cast(dict[str, t.Any], cloudfront.get_distribution_config(Id=one["Id"])["DistributionConfig"])


def change_by_hand(cloud: Cloud, change: t.Callable[[dict[str, t.Any]], None]) -> None:
    cloudfront = cloud.of("cloudfront")
    (one,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    answer = cloudfront.get_distribution_config(Id=one["Id"])
    change(answer["DistributionConfig"])
    cloudfront.update_distribution(
        Id=one["Id"], IfMatch=answer["ETag"], DistributionConfig=answer["DistributionConfig"]
    )
    cloud.plane.reconciled(cloud.plane.snapshot())


def look(cloud: Cloud) -> t.Any:
    """The distribution as it would be in any account, that is without ids."""
    cloudfront = cloud.of("cloudfront")
    (one,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    tags = cloudfront.list_tags_for_resource(Resource=one["ARN"])["Tags"]["Items"]
    config = config_of(cloud)
    origins = [
        {key: value for key, value in origin.items() if key != "OriginAccessControlId"}
        for origin in config["Origins"]["Items"]
    ]
    names = [(tag["Key"], re.sub(r"=\S+", "", tag["Value"])) for tag in tags]
    return origins, config["Aliases"], sorted(names), one["Status"]


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    planned = cloud.run(converge_distribution, options(**EVERYTHING), check_mode=True)
    assert cloud.writes == []
    furnish(cloud)
    between = cloud.run(converge_distribution, options(**EVERYTHING), check_mode=True)
    done = cloud.run(converge_distribution, options(**EVERYTHING))
    assert told(planned) == told(between) == told(done) == ["create distribution site"]
    assert set(planned["distribution"].values()) == {"(known after apply)", "https://(known after apply)"}
    facts = done["distribution"]
    assert facts["arn"].endswith(f":distribution/{facts['id']}")
    assert facts["url"] == f"https://{facts['domain_name']}"
    assert look(cloud)[3] == "Deployed"


@pytest.mark.parametrize("given", [{}, EVERYTHING, {"origins": [{"name": "b", "bucket": "bucket"}]}])
def test_the_second_run_changes_nothing_in_two_calls(
    cloud: Cloud, options: Make, furnish: Furnish, given: dict[str, t.Any]
) -> None:
    furnish(cloud)
    first = cloud.run(converge_distribution, options(**given))
    again = cloud.run(converge_distribution, options(**given))
    assert (again["changes"], again["distribution"]) == ([], first["distribution"])
    assert cloud.calls == ["GetResources", "GetDistribution"]


def test_what_its_tags_do_not_tell_is_listed(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options(**EVERYTHING))
    cloudfront = cloud.of("cloudfront")
    (one,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    gone = ["groundwork:cache-policy", "groundwork:origin-access-control"]
    cloudfront.untag_resource(Resource=one["ARN"], TagKeys={"Items": gone})
    wrong = {"Key": "groundwork:response-headers-policy", "Value": "site=4711 nonsense site="}
    cloudfront.tag_resource(Resource=one["ARN"], Tags={"Items": [wrong]})
    planned = cloud.run(converge_distribution, options(**EVERYTHING), check_mode=True)
    done = cloud.run(converge_distribution, options(**EVERYTHING))
    assert planned == done
    assert told(done) == ["update tags distribution site"]
    assert {call for call in cloud.calls if call.startswith("List")} == {
        "ListCachePolicies",
        "ListOriginAccessControls",
        "ListResponseHeadersPolicies",
    }
    assert cloud.run(converge_distribution, options(**EVERYTHING))["changes"] == []
    assert len(cloud.calls) == 2


def test_another_policy_is_listed_once(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    for policy, lists in (("site", 1), ("site", 0), ("SecurityHeadersPolicy", 0), ("site", 1)):
        cloud.run(converge_distribution, options(behavior={"response_headers_policy": policy}))
        assert cloud.calls.count("ListResponseHeadersPolicies") == lists
        assert cloud.calls.count("ListOriginAccessControls") == 0


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives, options: Make, furnish: Furnish) -> None:
    assert survives(converge_distribution, options(**EVERYTHING), look, furnish) == 1


@pytest.mark.parametrize(
    "fault", [Fault(drop=True), Fault(cut=True), Fault(executed=True, status=500, code="InternalError")]
)
def test_an_update_whose_response_is_lost_is_recognized(
    cloud: Cloud, options: Make, furnish: Furnish, fault: Fault
) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    cloud.plane.faults.set(replace(fault, operation="UpdateDistribution", times=1))
    done = cloud.run(converge_distribution, options(comment="new"))
    assert told(done) == ["update distribution site"]
    assert cloud.calls.count("UpdateDistribution") == 2
    assert cloud.run(converge_distribution, options(comment="new"))["changed"] is False


@pytest.mark.exhaustive
def test_an_update_killed_anywhere_converges(survives: Survives, options: Make, furnish: Furnish) -> None:
    def prepare(cloud: Cloud) -> None:
        furnish(cloud)
        cloud.run(converge_distribution, options())

    assert survives(converge_distribution, {**options(**EVERYTHING), "tags": {"team": "web"}}, look, prepare) == 2


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        ({"comment": "new"}, {"Comment": ""}, {"Comment": "new"}),
        ({"ipv6": False}, {"IsIPV6Enabled": True}, {"IsIPV6Enabled": False}),
        ({"price_class": "PriceClass_All"}, {"PriceClass": "PriceClass_100"}, {"PriceClass": "PriceClass_All"}),
        ({"default_root_object": "a.html"}, {"DefaultRootObject": ""}, {"DefaultRootObject": "a.html"}),
        (
            {"behavior": {"compress": False, "functions": {"viewer-request": "site"}}},
            {"DefaultCacheBehavior": {"Compress": True}},
            {"DefaultCacheBehavior": {"Compress": False}},
        ),
        (
            {"error_pages": [{"code": 404, "page": "/a.html"}]},
            {"CustomErrorResponses": {"404": None}},
            {
                "CustomErrorResponses": {
                    "404": {
                        "ErrorCachingMinTTL": 10,
                        "ErrorCode": 404,
                        "ResponseCode": "404",
                        "ResponsePagePath": "/a.html",
                    }
                }
            },
        ),
    ],
)
def test_the_diff_is_the_difference(
    cloud: Cloud,
    options: Make,
    furnish: Furnish,
    given: dict[str, t.Any],
    before: dict[str, t.Any],
    after: dict[str, t.Any],
) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    planned = cloud.run(converge_distribution, options(**given), check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge_distribution, options(**given))
    assert cloud.writes == ["UpdateDistribution"]
    assert planned["diff"] == done["diff"]
    assert (done["diff"][0]["before"], done["diff"][0]["after"]) == (before, after)
    assert cloud.run(converge_distribution, options(**given))["changes"] == []


def test_behaviors_come_and_go_and_change_their_order(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    both = [{"path": "/a/*"}, {"path": "/b/*"}]
    for wanted in (both, both[::-1], both[:1], []):
        done = cloud.run(converge_distribution, options(behaviors=wanted))
        assert told(done) == ["update distribution site"]
        items = config_of(cloud)["CacheBehaviors"].get("Items", [])
        assert [item["PathPattern"] for item in items] == [one["path"] for one in wanted]
        assert cloud.run(converge_distribution, options(behaviors=wanted))["changes"] == []


def test_origins_come_and_go(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    more = [*options()["origins"], {"name": "other", "bucket": "another-bucket"}]
    for wanted in (more, more[:1]):
        cloud.run(converge_distribution, options(origins=wanted))
        assert [one["Id"] for one in config_of(cloud)["Origins"]["Items"]] == [one["name"] for one in wanted]
        assert cloud.run(converge_distribution, options(origins=wanted))["changes"] == []


def test_what_the_module_does_not_know_stays(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options(**EVERYTHING))

    def by_hand(config: dict[str, t.Any]) -> None:
        config["Origins"]["Items"][0]["ConnectionAttempts"] = 1

    change_by_hand(cloud, by_hand)
    assert cloud.run(converge_distribution, options(**EVERYTHING))["changes"] == []
    cloud.run(converge_distribution, options(**EVERYTHING, ipv6=False))
    assert config_of(cloud)["Origins"]["Items"][0]["ConnectionAttempts"] == 1


def test_what_is_declared_is_put_right(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options(**EVERYTHING))
    kept = config_of(cloud)

    def by_hand(config: dict[str, t.Any]) -> None:
        config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] = "allow-all"
        config["DefaultCacheBehavior"]["FunctionAssociations"] = {"Quantity": 0}
        config["CacheBehaviors"] = {"Quantity": 0}

    change_by_hand(cloud, by_hand)
    cloud.run(converge_distribution, options(**EVERYTHING))
    assert config_of(cloud) == kept


def test_the_settings_that_policies_replaced_go(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())

    def by_hand(config: dict[str, t.Any]) -> None:
        behavior = config["DefaultCacheBehavior"]
        del behavior["CachePolicyId"]
        behavior["ForwardedValues"] = {"QueryString": False, "Cookies": {"Forward": "none"}}
        behavior["MinTTL"] = 5

    change_by_hand(cloud, by_hand)
    cloud.run(converge_distribution, options())
    assert "ForwardedValues" not in config_of(cloud)["DefaultCacheBehavior"]
    assert cloud.run(converge_distribution, options())["changes"] == []


def test_what_somebody_changes_in_between_is_not_lost(
    cloud: Cloud, options: Make, furnish: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    before = cloud.before

    def meddle(operation: str) -> None:
        if operation == "UpdateDistribution":
            monkeypatch.setattr(cloud, "before", before)
            change_by_hand(cloud, lambda config: config["Origins"]["Items"][0].update(ConnectionTimeout=3))
        before(operation)

    monkeypatch.setattr(cloud, "before", meddle)
    with pytest.raises(
        GroundworkError, match=r"PreconditionFailed: .* It was changed by another process meanwhile. Run again"
    ):
        cloud.run(converge_distribution, options(comment="new"))
    cloud.run(converge_distribution, options(comment="new"))
    config = config_of(cloud)
    assert (config["Comment"], config["Origins"]["Items"][0]["ConnectionTimeout"]) == ("new", 3)


def test_tags_are_added(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    assert told(cloud.run(converge_distribution, {**options(), "tags": {"team": "web"}})) == [
        "update tags distribution site"
    ]
    assert cloud.run(converge_distribution, {**options(), "tags": {"team": "web"}})["changes"] == []


def test_what_is_not_there_is_told_before_anything_is_made(cloud: Cloud, options: Make) -> None:
    with pytest.raises(InputError) as caught:
        cloud.run(converge_distribution, options(**EVERYTHING))
    assert cloud.writes == []
    assert sorted(problem.variable for problem in caught.value.problems) == [
        "behavior.cache_policy",
        "behavior.functions.viewer-request",
        "behavior.response_headers_policy",
        "origins[0].origin_access_control",
    ]


def test_a_function_that_is_not_there_is_told_when_it_is_added(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    more = {"functions": {"viewer-request": "site", "viewer-response": "missing"}}
    assert cloud.run(converge_distribution, options(behavior=more), check_mode=True)["changed"]
    with pytest.raises(InputError, match=r"behavior\.functions\.viewer-response: .*'missing'"):
        cloud.run(converge_distribution, options(behavior=more))
    assert cloud.writes == []


def test_nobody_waits_unless_told(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options(wait=False))
    assert cloud.slept == [] and look(cloud)[3] == "InProgress"
    assert cloud.run(converge_distribution, options(wait=False))["changes"] == []
    assert cloud.slept == []


def test_what_a_killed_run_began_is_awaited(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options(wait=False))
    planned = cloud.run(converge_distribution, options(), check_mode=True)
    assert planned["changes"] == [] and cloud.slept == []
    assert cloud.run(converge_distribution, options())["changes"] == []
    assert look(cloud)[3] == "Deployed"


# The tagging API learns of a distribution late, and of its end as well.


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> t.Callable[[t.Any], None]:
    """Makes the tagging API know nothing of distributions."""

    def hide(_cloud: Cloud) -> None:
        monkeypatch.setattr(Backend, "iter_tagged_resources", lambda _self: iter(()))

    return hide


def test_one_that_is_not_listed_by_its_tags_yet_is_not_made_again(
    cloud: Cloud, options: Make, furnish: Furnish, untold: t.Any
) -> None:
    furnish(cloud)
    first = cloud.run(converge_distribution, options())
    untold(cloud)
    again = cloud.run(converge_distribution, options())
    assert (again["changes"], again["distribution"]) == ([], first["distribution"])
    assert len(cloud.of("cloudfront").list_distributions()["DistributionList"]["Items"]) == 1


@pytest.mark.parametrize("hours_later", [0, 1])
def test_one_that_nothing_tells_of_yet_is_not_made_again(
    cloud: Cloud, options: Make, furnish: Furnish, untold: t.Any, monkeypatch: pytest.MonkeyPatch, hours_later: int
) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    untold(cloud)
    hour = (datetime.now(UTC) + timedelta(hours=hours_later)).strftime("%Y-%m-%dT%H")
    with monkeypatch.context() as patch:
        patch.setitem(OPERATIONS, "ListDistributions", lambda *_asked: {"DistributionList": NO_LIST})
        with pytest.raises(GroundworkError, match=r"DistributionAlreadyExists: .* created moments ago, run again"):
            converge_distribution(Run(options(), cloud, cloud.warnings.append, clock=cloud, hour=hour))
    assert cloud.run(converge_distribution, options())["changes"] == []
    assert len(cloud.of("cloudfront").list_distributions()["DistributionList"]["Items"]) == 1


def test_one_that_was_deleted_and_is_still_listed_is_none(
    cloud: Cloud, options: Make, furnish: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(cloud)
    first = cloud.run(converge_distribution, options())["distribution"]
    remembered = list(Backend.iter_tagged_resources(backend_of(cloud.plane.context)))
    change_by_hand(cloud, lambda config: config.update(Enabled=False))
    cloudfront = cloud.of("cloudfront")
    etag = cloudfront.get_distribution_config(Id=first["id"])["ETag"]
    cloudfront.delete_distribution(Id=first["id"], IfMatch=etag)
    known = Backend.iter_tagged_resources
    monkeypatch.setattr(Backend, "iter_tagged_resources", lambda self: iter([*remembered, *known(self)]))
    done = cloud.run(converge_distribution, options())
    assert told(done) == ["create distribution site"]
    assert done["distribution"]["id"] != first["id"]
    assert cloud.run(converge_distribution, options())["changes"] == []


def test_two_of_a_name_are_nobodys_choice(cloud: Cloud, options: Make, furnish: Furnish) -> None:
    furnish(cloud)
    cloud.run(converge_distribution, options())
    cloudfront = cloud.of("cloudfront")
    config = {**config_of(cloud), "CallerReference": "by hand"}
    (one,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    tags = cloudfront.list_tags_for_resource(Resource=one["ARN"])["Tags"]
    cloudfront.create_distribution_with_tags(DistributionConfigWithTags={"DistributionConfig": config, "Tags": tags})
    with pytest.raises(GroundworkError, match="2 distributions have the tag Name=dev-site"):
        cloud.run(converge_distribution, options())
    assert cloud.writes == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied"])
def test_a_policy_that_denies_the_tags_of_another_region_is_no_obstacle(
    cloud: Cloud, options: Make, furnish: Furnish, code: str
) -> None:
    furnish(cloud)
    cloud.plane.faults.set(Fault(operation="GetResources", code=code, status=400))
    first = cloud.run(converge_distribution, options())
    again = cloud.run(converge_distribution, options())
    assert (again["changes"], again["distribution"]) == ([], first["distribution"])
    assert len(cloud.of("cloudfront").list_distributions()["DistributionList"]["Items"]) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("Name", "dev-site"), ("groundwork:environment", "dev"), ("groundwork:component", "static_site")],
)
def test_one_whose_tag_was_removed_is_named_and_not_made_again(
    cloud: Cloud, options: Make, furnish: Furnish, key: str, value: str
) -> None:
    furnish(cloud)
    made = cloud.run(converge_distribution, options())["distribution"]
    cloudfront = cloud.of("cloudfront")
    cloudfront.untag_resource(Resource=made["arn"], TagKeys={"Items": [key]})
    with pytest.raises(GroundworkError, match=rf"the tag {key} of the distribution {made['id']} is missing") as no:
        cloud.run(converge_distribution, options())
    assert f"Put back {key}={value}" in str(no.value)
    assert cloud.writes == []
    cloudfront.tag_resource(Resource=made["arn"], Tags={"Items": [{"Key": key, "Value": value}]})
    assert cloud.run(converge_distribution, options())["changes"] == []


def test_an_origin_that_is_only_planned(cloud: Cloud, options: Make) -> None:
    behind = {"name": "site", "domain": "(known after apply)"}
    planned = cloud.run(converge_distribution, options(origins=[behind]), check_mode=True)
    assert told(planned)[-1:] == ["create distribution site"]
