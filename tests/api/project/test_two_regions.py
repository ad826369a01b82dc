"""An environment's name is used in one region of an account: IAM and CloudFront have their resources once for all."""

from __future__ import annotations

import typing as t
from functools import partial

import pytest
from accounts.teardown import TearDown
from cloud import Cloud, Watched, told
from topic_options import cloudfront, distribution

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import converge_function
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_cache_policy,
    parse_origin_access_control,
    parse_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    CACHE_POLICY,
    ORIGIN_ACCESS_CONTROL,
    RESPONSE_HEADERS_POLICY,
    converge_reusable,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.run import converge_distribution
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import converge_server_roles

HERE, THERE = "eu-central-1", "eu-west-1"
Converge = t.Callable[[Run], dict[str, t.Any]]

ROLES = {
    "environment_name": "dev",
    "tags": {},
    "roles": {"web": {"parameters": ["/groundwork/dev/x"]}},
    "permissions_boundary": "",
    "role_path": "/",
}
CASES: dict[str, tuple[Converge, dict[str, t.Any]]] = {
    "roles": (converge_server_roles, ROLES),
    **{
        kind.noun: (partial(converge_reusable, kind=kind, parse=parse), cloudfront.options(kind.noun))
        for kind, parse in (
            (ORIGIN_ACCESS_CONTROL, parse_origin_access_control),
            (CACHE_POLICY, parse_cache_policy),
            (RESPONSE_HEADERS_POLICY, parse_response_headers_policy),
        )
    },
    "function": (converge_function, cloudfront.options("function")),
    "distribution": (converge_distribution, distribution.options()),
}
# A change without which a function is not compared with more than its code.
OTHER: dict[str, dict[str, t.Any]] = {"function": {"code": cloudfront.CODE.replace("request;", "request  ;")}}


def make(cloud: Cloud, name: str, region: str, **more: t.Any) -> t.Any:
    """Create the resource as the environment `dev` of this region does."""
    for needed in ("origin_access_control", "function") if name == "distribution" else ():
        make(cloud, needed, region)
    converge, options = CASES[name]
    return cloud.run(converge, {**options, "region": region, **more})


def make_as_before(cloud: Cloud, name: str) -> None:
    """Create the resource as a version did that knew no regions."""
    if name != "distribution":
        make(cloud, name, "")
        return
    arn = make(cloud, name, HERE)["distribution"]["arn"]
    cloud.of("cloudfront").untag_resource(Resource=arn, TagKeys={"Items": ["groundwork:region"]})


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_a_resource_of_another_region_is_refused(cloud: Cloud, name: str, check_mode: bool) -> None:
    make(cloud, name, HERE)
    converge, options = CASES[name]
    wanted = {**options, **OTHER.get(name, {}), "region": THERE}
    with pytest.raises(InputError, match=f"'dev' is an environment in {HERE} too, and the .* is in all") as no:
        cloud.run(converge, wanted, check_mode=check_mode)
    assert {(problem.variable, problem.right) for problem in no.value.problems} == {
        ("environment_name", f"use another name for the environment in {THERE}")
    }
    assert cloud.writes == []


@pytest.mark.parametrize("name", CASES)
def test_a_resource_from_before_is_adopted(cloud: Cloud, name: str) -> None:
    make_as_before(cloud, name)
    other = OTHER.get(name, {})
    assert told(make(cloud, name, HERE, **other)) != []
    assert told(make(cloud, name, HERE, **other)) == []
    with pytest.raises(InputError, match=f"'dev' is an environment in {HERE} too"):
        make(cloud, name, THERE, **{**other, **({"code": cloudfront.CODE} if other else {})})


@pytest.mark.parametrize("name", CASES)
def test_a_teardown_leaves_what_is_of_another_region_and_tells_it(cloud: Cloud, name: str) -> None:
    make(cloud, name, HERE)
    cloud.sleep(1)  # the edge follows
    tear_down = TearDown()
    planned = tear_down(cloud, check_mode=True, region=THERE)
    assert (told(planned), len(cloud.warnings)) == ([], 1)
    assert f"dev in {HERE} has resources that are in all regions, which stay: " in cloud.warnings[0]
    assert (told(tear_down(cloud, region=THERE)), cloud.writes) == ([], [])
    assert told(tear_down(cloud, region=HERE)) != []
    assert cloud.warnings == []


def test_a_teardown_leaves_the_buckets_of_another_region(cloud: Cloud, watched: Watched) -> None:
    tags = [{"Key": "groundwork:environment", "Value": "dev"}]
    for region in (HERE, THERE):
        s3 = watched.client("s3", watched=False, region=region)
        s3.create_bucket(Bucket=f"dev-{region}", CreateBucketConfiguration={"LocationConstraint": region, "Tags": tags})
    assert told(TearDown()(cloud, region=HERE, buckets=True)) == [f"delete bucket dev-{HERE}"]
    assert [bucket["Name"] for bucket in cloud.of("s3").list_buckets()["Buckets"]] == [f"dev-{THERE}"]
