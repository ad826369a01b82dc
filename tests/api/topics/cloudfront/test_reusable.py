"""Access controls and policies against the lab's control plane: one life for all of them."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_cache_policy,
    parse_origin_access_control,
    parse_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    CACHE_POLICY,
    ORIGIN_ACCESS_CONTROL,
    RESPONSE_HEADERS_POLICY,
    Kind,
    comment_of,
    converge_reusable,
)
from groundwork_lab.api import Fault

Make = t.Callable[..., dict[str, t.Any]]
OWNER = Owner("dev", "static_site")
PARSERS: dict[str, tuple[Kind, t.Any]] = {
    kind.noun: (kind, parse)
    for kind, parse in (
        (ORIGIN_ACCESS_CONTROL, parse_origin_access_control),
        (CACHE_POLICY, parse_cache_policy),
        (RESPONSE_HEADERS_POLICY, parse_response_headers_policy),
    )
}
# Another wish of each kind: options, and what of the diff tells of it, in AWS' words.
OTHERS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], dict[str, t.Any]]] = {
    "origin_access_control": ({"signing": "never"}, {"SigningBehavior": "always"}, {"SigningBehavior": "never"}),
    "cache_policy": ({"default_ttl": 90}, {"DefaultTTL": 60}, {"DefaultTTL": 90}),
    "response_headers_policy": (
        {"remove": []},
        {"RemoveHeadersConfig": [{"Header": "Server"}]},
        {"RemoveHeadersConfig": None},
    ),
}


@pytest.fixture(params=PARSERS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return PARSERS[request.param][0]


def converge(kind: Kind) -> t.Callable[[Run], dict[str, t.Any]]:
    return lambda run: converge_reusable(run, *PARSERS[kind.noun])


def held(cloud: Cloud, kind: Kind) -> list[dict[str, t.Any]]:
    """All of the account's own, whole, without ids."""
    client = cloud.of("cloudfront")
    listed = getattr(client, f"list_{kind.plural}")(**kind.arguments)[f"{kind.member}List"].get("Items", [])
    ids = [kind.entry(item)[0] for item in listed]
    return [getattr(client, f"get_{kind.noun}_config")(Id=one)[f"{kind.member}Config"] for one in ids]


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, kind: Kind, options: Make) -> None:
    planned = cloud.run(converge(kind), options(kind.noun), check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge(kind), options(kind.noun))
    assert told(planned) == told(done) == [f"create {kind.resource} site"]
    assert planned["id"] == "(known after apply)"
    assert planned["name"] == done["name"] == "dev-site"
    assert [one["Name"] for one in held(cloud, kind)] == ["dev-site"]


def test_the_second_run_changes_nothing_in_one_call(cloud: Cloud, kind: Kind, options: Make) -> None:
    first = cloud.run(converge(kind), options(kind.noun))
    again = cloud.run(converge(kind), options(kind.noun))
    assert (again["changes"], again["id"]) == ([], first["id"])
    assert len(cloud.calls) == 1


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives, kind: Kind, options: Make) -> None:
    assert survives(converge(kind), options(kind.noun), lambda cloud: held(cloud, kind)) == 1


def test_the_diff_is_the_difference(cloud: Cloud, kind: Kind, options: Make) -> None:
    other, before, after = OTHERS[kind.noun]
    first = cloud.run(converge(kind), options(kind.noun))
    planned = cloud.run(converge(kind), options(kind.noun, **other), check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge(kind), options(kind.noun, **other))
    assert told(planned) == told(done) == [f"update {kind.resource} site"]
    assert done["id"] == first["id"]
    assert (done["diff"][0]["before"], done["diff"][0]["after"]) == (before, after)
    assert cloud.run(converge(kind), options(kind.noun, **other))["changes"] == []


def test_an_update_whose_response_is_lost_is_recognized(cloud: Cloud, kind: Kind, options: Make) -> None:
    other = options(kind.noun, **OTHERS[kind.noun][0])
    cloud.run(converge(kind), options(kind.noun))
    cloud.plane.faults.set(Fault(operation="Update*", drop=True, times=1))
    cloud.run(converge(kind), other)
    assert [call.startswith("Update") for call in cloud.calls].count(True) == 2
    assert cloud.run(converge(kind), other)["changed"] is False


def test_what_has_the_name_and_is_not_ours_is_refused(cloud: Cloud, kind: Kind, options: Make) -> None:
    cloud.run(converge(kind), options(kind.noun))
    client = cloud.of("cloudfront")
    listed = getattr(client, f"list_{kind.plural}")(**kind.arguments)[f"{kind.member}List"]["Items"]
    one = getattr(client, f"get_{kind.noun}_config")(Id=kind.entry(listed[0])[0])
    theirs = {**one[f"{kind.member}Config"], kind.comment: "by hand"}
    arguments = {"Id": kind.entry(listed[0])[0], "IfMatch": one["ETag"], f"{kind.member}Config": theirs}
    getattr(client, f"update_{kind.noun}")(**arguments)
    for check_mode in (True, False):
        with pytest.raises(GroundworkError, match=f"The {kind.resource} dev-site .* put back the comment"):
            cloud.run(converge(kind), options(kind.noun), check_mode=check_mode)
        assert cloud.writes == []
    assert held(cloud, kind) == [theirs]


def test_what_somebody_changes_in_between_is_not_lost(
    cloud: Cloud, options: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, client = CACHE_POLICY, cloud.of("cloudfront")
    made = cloud.run(converge(kind), options(kind.noun))["id"]
    before = cloud.before

    def meddle(operation: str) -> None:
        if operation == "UpdateCachePolicy":
            monkeypatch.setattr(cloud, "before", before)
            one = client.get_cache_policy_config(Id=made)
            config = {**one["CachePolicyConfig"], "MaxTTL": 7200}
            client.update_cache_policy(Id=made, IfMatch=one["ETag"], CachePolicyConfig=config)
        before(operation)

    monkeypatch.setattr(cloud, "before", meddle)
    with pytest.raises(
        GroundworkError, match=r"PreconditionFailed: .* It was changed by another process meanwhile. Run again"
    ):
        cloud.run(converge(kind), options(kind.noun, default_ttl=90))
    assert held(cloud, kind)[0]["MaxTTL"] == 7200
    cloud.run(converge(kind), options(kind.noun, default_ttl=90))
    assert (held(cloud, kind)[0]["DefaultTTL"], held(cloud, kind)[0]["MaxTTL"]) == (90, 3600)


def test_what_the_module_does_not_know_stays(cloud: Cloud, options: Make) -> None:
    kind, client = RESPONSE_HEADERS_POLICY, cloud.of("cloudfront")
    made = cloud.run(converge(kind), options(kind.noun))["id"]
    one = client.get_response_headers_policy_config(Id=made)
    timing = {"Enabled": True, "SamplingRate": 5.0}
    config = {**one["ResponseHeadersPolicyConfig"], "ServerTimingHeadersConfig": timing}
    client.update_response_headers_policy(Id=made, IfMatch=one["ETag"], ResponseHeadersPolicyConfig=config)
    assert cloud.run(converge(kind), options(kind.noun))["changes"] == []
    cloud.run(converge(kind), options(kind.noun, custom=None))
    assert held(cloud, kind)[0]["ServerTimingHeadersConfig"] == timing
    assert "CustomHeadersConfig" not in held(cloud, kind)[0]


def test_the_hundred_and_first_is_found_on_the_second_page(cloud: Cloud, options: Make) -> None:
    client = cloud.of("cloudfront")
    for number in range(99):
        config = {
            "Name": f"{number}",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
        client.create_origin_access_control(OriginAccessControlConfig=config)
    cloud.run(converge(ORIGIN_ACCESS_CONTROL), options("origin_access_control"))
    assert cloud.run(converge(ORIGIN_ACCESS_CONTROL), options("origin_access_control"))["changes"] == []


def test_the_comment_tells_whose_it_is() -> None:
    assert comment_of(OWNER) == "groundwork.aws: environment dev, component static_site"
