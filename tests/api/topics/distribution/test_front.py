"""A distribution in front of a load balancer: its policy is its role's, and its secret is in no output."""

from __future__ import annotations

import json
import typing as t
from functools import partial

from cloud import Cloud, Watched, told
from topic_options import distribution

from ansible_collections.groundwork.aws.plugins.module_utils.project.alb.fronts import (
    cache_policies,
    distribution_of,
    fronts_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import parse_cache_policy
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    CACHE_POLICY,
    converge_reusable,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.run import converge_distribution

OLD, NEW = "old0secret0of0cloudfront", "new0secret0of0cloudfront"
PARAMETER = "/groundwork/dev/alb/public/origin-verify"
HOST = "dev-public-1.eu-central-1.elb.amazonaws.com"


def options(secret: str) -> dict[str, t.Any]:
    front = fronts_of([{"name": "public"}], {"public": ["www.example.com"]}, "dev")["public"]
    made = {**distribution_of(front, "dev", "", HOST), "aliases": []}  # which need an issued certificate
    return distribution.options(**made, secrets={PARAMETER: secret})


def test_the_secret_is_replaced_and_in_no_output(cloud: Cloud, watched: Watched) -> None:
    [policy] = cache_policies([options(OLD)])
    wanted = {**distribution.COMMON, "max_ttl": 31536000, "gzip": True, "brotli": True, **policy}
    make_policy = partial(converge_reusable, kind=CACHE_POLICY, parse=parse_cache_policy)
    results = [cloud.run(make_policy, wanted)]
    results.append(cloud.run(converge_distribution, options(OLD), check_mode=True))
    results.append(cloud.run(converge_distribution, options(OLD)))
    assert [told(one) for one in results[1:]] == [["create distribution alb-public"]] * 2
    again = cloud.run(converge_distribution, options(OLD))
    assert (told(again), len(cloud.calls)) == ([], 2)
    assert (told(cloud.run(make_policy, wanted)), len(cloud.calls)) == ([], 1)

    results.append(cloud.run(converge_distribution, options(NEW)))
    assert told(results[-1]) == ["update distribution alb-public"]
    edge = watched.client("cloudfront", watched=False)
    [found] = edge.list_distributions()["DistributionList"]["Items"]
    config = edge.get_distribution_config(Id=found["Id"])["DistributionConfig"]
    [header] = config["Origins"]["Items"][0]["CustomHeaders"]["Items"]
    assert header == {"HeaderName": "X-Origin-Verify", "HeaderValue": NEW}
    tags = edge.list_tags_for_resource(Resource=found["ARN"])["Tags"]["Items"]
    assert {"Key": "groundwork:component", "Value": "alb"} in tags
    text = json.dumps(results)
    assert (OLD in text, NEW in text) == (False, False)


def test_an_absent_distribution_is_disabled_and_deleted(cloud: Cloud, watched: Watched) -> None:
    made = options(OLD)
    for name in ("alb-public", "alb-private"):
        cloud.run(converge_distribution, {**made, "name": name, "behaviors": []})
    gone = {**made, "origins": [], "behaviors": [], "state": "absent"}
    results = [cloud.run(converge_distribution, gone, check_mode=True), cloud.run(converge_distribution, gone)]
    assert [told(one) for one in results] == [["update distribution alb-public", "delete distribution alb-public"]] * 2
    edge = watched.client("cloudfront", watched=False)
    [left] = edge.list_distributions()["DistributionList"]["Items"]
    tags = edge.list_tags_for_resource(Resource=left["ARN"])["Tags"]["Items"]
    assert {"Key": "Name", "Value": "dev-alb-private"} in tags
    again = cloud.run(converge_distribution, gone)
    assert (told(again), len(cloud.calls)) == ([], 2)
    assert OLD not in json.dumps(results)
