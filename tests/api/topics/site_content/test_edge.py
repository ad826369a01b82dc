"""Publishing with the lab's own CloudFront: found by tags, paths as it takes them, awaited until they are gone."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from accounts.site_content import Site

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION

ORIGIN = {
    "Id": "s3",
    "DomainName": "dev-site.s3.eu-central-1.amazonaws.com",
    "S3OriginConfig": {"OriginAccessIdentity": ""},
}
CONFIG = {
    "CallerReference": "one",
    "Origins": {"Quantity": 1, "Items": [ORIGIN]},
    "DefaultCacheBehavior": {
        "TargetOriginId": "s3",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",  # Managed-CachingOptimized
    },
    "Comment": "",
    "Enabled": True,
}


class Front:
    """The site's clients, with CloudFront and the tagging API of the control plane."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clients: dict[str, t.Any] = {}
        self.s3 = site.client
        site.client = self.client

    def client(self, service: str, /, *, region: str = REGION, **_extra: t.Any) -> t.Any:
        if service == "s3":
            return self.s3(service)
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.site.cloud.endpoint,
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key="testing",
            )
        return self.clients[service]

    def make(self, name: str, environment: str = "dev") -> str:
        tags = {"Items": tag_list(Owner(environment, "static_site").tags(name))}
        config = {**CONFIG, "CallerReference": f"{environment}-{name}"}
        cloudfront = self.client("cloudfront")
        made = cloudfront.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": tags}
        )
        return str(made["Distribution"]["Id"])

    def invalidations(self, distribution: str) -> list[dict[str, t.Any]]:
        cloudfront = self.client("cloudfront")
        listed = cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items", [])
        return [
            cloudfront.get_invalidation(DistributionId=distribution, Id=one["Id"])["Invalidation"] for one in listed
        ]


@pytest.fixture
def front(site: Site) -> Front:
    return Front(site)


def test_its_own_distribution_is_invalidated(site: Site, front: Front) -> None:
    front.make("other")
    front.make("site", environment="prod")
    ours = front.make("site")
    for name in ("a b.html", "grün.html", "100%.html", "star*.html", "a~[b].html"):
        site.put(name, "<p>old")
    site.publish()
    assert front.invalidations(ours) == []
    for name in ("a b.html", "grün.html", "100%.html", "star*.html", "a~[b].html"):
        site.put(name, "<p>new")
    site.cloud.plane.calls.reset()
    done = site.publish()
    [made] = front.invalidations(ours)
    assert (made["Id"], made["Status"]) == (done["invalidation"]["id"], "Completed")
    assert sorted(made["InvalidationBatch"]["Paths"]["Items"]) == done["invalidation"]["paths"]
    counted = site.cloud.plane.calls.counted()
    assert counted["resourcegroupstaggingapi"] == {"GetResources": 1}
    assert site.cloud.plane.calls.writes == done["calls"]


def test_without_waiting(site: Site, front: Front) -> None:
    ours = front.make("site")
    site.publish()
    site.put("index.html", "<p>new")
    site.publish(wait=False)
    assert [one["Status"] for one in front.invalidations(ours)] == ["InProgress"]
    assert not site.publish()["changed"]


def test_a_busy_distribution_is_waited_for(site: Site, front: Front) -> None:
    ours = front.make("site")
    site.publish()
    site.put("index.html", "<p>new")
    batch = {"CallerReference": "x", "Paths": {"Quantity": 3000, "Items": [f"/{number}" for number in range(3000)]}}
    front.client("cloudfront").create_invalidation(DistributionId=ours, InvalidationBatch=batch)
    assert site.publish()["changed"]
    assert len(front.invalidations(ours)) == 2


def test_an_invalidation_that_never_ends(site: Site, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run owes it still, and finds it by its reference."""
    front.make("site")
    site.given["keep_assets"] = 0
    site.publish()
    site.put("index.html", "<p>new")
    site.remove("logo.svg")
    site.put("index.html", "<p>no logo")
    monkeypatch.setattr(site.cloud.plane, "reconciled", lambda _world: None)
    with pytest.raises(GroundworkError, match=r"Timed out after 10 s waiting for the invalidation .* to be completed"):
        site.publish(deadline=10)
    assert "logo.svg" in site.content()
    monkeypatch.undo()
    assert site.publish()["changed"] and "logo.svg" not in site.content()


def test_cloudfront_accepts_the_paths_of_all_names(site: Site, front: Front) -> None:
    ours = front.make("site")
    names = [f"a{character}b/index.html" for character in map(chr, range(0x20, 0x7F)) if character != "/"]
    for state in ("old", "new"):
        for name in [*names, "grün/文.html"]:
            site.put(name, state)
        done = site.publish()
    [made] = front.invalidations(ours)
    assert sorted(made["InvalidationBatch"]["Paths"]["Items"]) == done["invalidation"]["paths"]


def test_a_distribution_behind_another_one_is_invalidated_first(site: Site, front: Front) -> None:
    outer = front.make("site")
    site.publish(pages_distribution="site-pages")
    site.put("index.html", "<p>new")
    assert site.publish(pages_distribution="site-pages")["calls"]["cloudfront"] == {"CreateInvalidation": 1}
    inner = front.make("site-pages")
    site.put("index.html", "<p>newer")
    order: list[str] = []

    def note(model: t.Any, params: t.Any, **_: t.Any) -> None:
        order.append(f"{model.name} {params['url_path'].split('/')[3]}")

    front.client("cloudfront").meta.events.register("before-call.cloudfront", note)
    done = site.publish(pages_distribution="site-pages", wait=False)
    assert order[0] == f"CreateInvalidation {inner}" and f"GetInvalidation {inner}" in order[1:-1]
    assert order[-1] == f"CreateInvalidation {outer}"
    assert done["calls"]["cloudfront"] == {"CreateInvalidation": 2}
    [of_inner], [of_outer, _first] = front.invalidations(inner), front.invalidations(outer)
    assert of_inner["InvalidationBatch"]["Paths"] == of_outer["InvalidationBatch"]["Paths"]
