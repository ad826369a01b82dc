"""A distribution records what its origins serve, and each change of that is invalidated once."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Watched, told
from topic_options import distribution

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.invalidating import (
    converge_invalidation,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.run import converge_distribution

NAME = "alb-public"
SERVER = {"name": "public", "domain": "dev-public-1.eu-central-1.elb.amazonaws.com"}
INVALIDATED = [f"create invalidation {NAME}"]
MARKED = [f"update tags distribution {NAME}"]


def made(**content: str) -> dict[str, t.Any]:
    """Return the options of the distribution."""
    given = {"name": NAME, "component": "alb", "origins": [SERVER], "behavior": {"cache_policy": "CachingDisabled"}}
    return distribution.options(**given, content={f"public:{site}": id_ for site, id_ in content.items()})


def serving(state: str = "serving", **content: str) -> dict[str, t.Any]:
    """Return the options of `cloudfront_invalidation`."""
    one = {"name": NAME, "content": {f"public:{site}": id_ for site, id_ in content.items()}}
    return {**distribution.COMMON, "component": "alb", "distributions": [one], "state": state, "deadline": 60}


class Edge:
    """The distribution as CloudFront tells it."""

    def __init__(self, watched: Watched) -> None:
        self._client = watched.client("cloudfront", watched=False)
        [self._one] = self._client.list_distributions()["DistributionList"]["Items"]

    def invalidations(self) -> list[list[str]]:
        found = self._client.list_invalidations(DistributionId=self._one["Id"])["InvalidationList"].get("Items", [])
        each = [self._client.get_invalidation(DistributionId=self._one["Id"], Id=one["Id"]) for one in found]
        return [one["Invalidation"]["InvalidationBatch"]["Paths"]["Items"] for one in each]

    def serves(self) -> dict[str, str]:
        tags = self._client.list_tags_for_resource(Resource=self._one["ARN"])["Tags"]["Items"]
        begin = "groundwork:serves:public:"
        return {one["Key"].removeprefix(begin): one["Value"] for one in tags if one["Key"].startswith(begin)}


def test_each_change_is_invalidated_once(cloud: Cloud, watched: Watched) -> None:
    assert told(cloud.run(converge_distribution, made(shop="a"))) == [f"create distribution {NAME}"]
    edge = Edge(watched)
    assert (edge.serves(), edge.invalidations()) == ({"shop": "a"}, [])
    for number, release in enumerate(["b", "a", "b"], start=1):  # back and forth, each of them changes what is served
        planned = told(cloud.run(converge_invalidation, serving(shop=release), check_mode=True))
        assert planned == told(cloud.run(converge_invalidation, serving(shop=release))) == INVALIDATED
        assert (edge.serves(), edge.invalidations()) == ({"shop": release}, [["/*"]] * number)
    assert (told(cloud.run(converge_invalidation, serving(shop="b"))), len(cloud.calls)) == ([], 1)
    assert (told(cloud.run(converge_distribution, made(shop="b"))), len(cloud.calls)) == ([], 2)
    assert told(cloud.run(converge_distribution, made(shop="c"))) == INVALIDATED
    assert len(edge.invalidations()) == 4


def test_a_site_that_is_not_given_is_not_compared(cloud: Cloud, watched: Watched) -> None:
    cloud.run(converge_distribution, made(shop="a", blog="x"))
    assert told(cloud.run(converge_invalidation, serving(blog="x"))) == []
    assert told(cloud.run(converge_invalidation, serving(blog="y"))) == INVALIDATED
    assert told(cloud.run(converge_distribution, made())) == []
    assert Edge(watched).serves() == {"shop": "a", "blog": "y"}


def test_a_release_that_was_interrupted_is_invalidated_whatever_follows(cloud: Cloud, watched: Watched) -> None:
    cloud.run(converge_distribution, made(shop="a"))
    edge = Edge(watched)
    assert told(cloud.run(converge_invalidation, serving("changing", shop="a"))) == []
    assert told(cloud.run(converge_invalidation, serving("changing", shop="b"), check_mode=True)) == MARKED
    assert told(cloud.run(converge_invalidation, serving("changing", shop="b"))) == MARKED
    assert (edge.serves(), edge.invalidations()) == ({"shop": "changing"}, [])
    assert told(cloud.run(converge_invalidation, serving("changing", shop="b"))) == []
    assert told(cloud.run(converge_invalidation, serving(shop="a"))) == INVALIDATED
    assert edge.serves() == {"shop": "a"}


def test_a_distribution_that_does_not_exist_is_left_out(cloud: Cloud) -> None:
    assert told(cloud.run(converge_invalidation, serving(shop="a"))) == []


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"public:shop": 1}, "distributions[0].content.public:shop"),
        ({"public:shop": ""}, "distributions[0].content.public:shop"),
        ({"public:shop": "a" * 257}, "distributions[0].content.public:shop"),
        ({"public:s,hop": "a"}, "distributions[0].content: 'public:s,hop'"),
    ],
)
def test_what_cannot_be_a_tag_is_refused(cloud: Cloud, content: dict[str, str], named: str) -> None:
    given = {**serving(), "distributions": [{"name": NAME, "content": content}]}
    with pytest.raises(InputError) as refused:
        cloud.run(converge_invalidation, given)
    assert named in str(refused.value)
    assert cloud.calls == []
