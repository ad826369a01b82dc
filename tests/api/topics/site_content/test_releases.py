"""Releases are listed with what is served and who publishes."""

from __future__ import annotations

import typing as t

import pytest
from accounts.site_content import Site

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.releases import list_releases


def listed(site: Site) -> dict[str, t.Any]:
    site.wire.requests = []
    options = {"environment_name": "dev", "tags": {}, "bucket": "dev-site"}
    return list_releases(Run(options, site, print, clock=site.cloud))


def test_nothing_is_an_empty_list(site: Site) -> None:
    assert listed(site) == {"changed": False, "releases": [], "publishing": {}}


def test_the_newest_comes_first_and_a_rollback_says_what_it_restores(site: Site) -> None:
    first = site.publish()["release"]
    site.put("index.html", "<p>new")
    second = site.publish()["release"]
    third = site.publish(release=first)["release"]
    told = listed(site)
    assert [(one["id"], one["restores"], one["served"]) for one in told["releases"]] == [
        (third, first, True),
        (second, "", False),
        (first, "", False),
    ]
    assert told["releases"][0]["files"] == 5 and told["releases"][0]["bytes"] == told["releases"][2]["bytes"]
    assert len(site.wire.requests) == 2


@pytest.mark.parametrize("ended", [True, False])
def test_a_publication_that_is_not_complete_is_told(site: Site, ended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    served = site.publish()["release"]
    site.put("index.html", "<p>new")
    site.wire.killed_after = 4
    with pytest.raises(site.cloud.Killed):
        site.publish()
    site.wire.killed_after = None
    monkeypatch.setattr(
        "ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.releases.has_ended",
        lambda _owner: ended,
    )
    told = listed(site)
    assert told["publishing"]["interrupted"] is ended
    assert [one["id"] for one in told["releases"] if one["served"]] == [served]
    assert len(site.wire.requests) == 3
