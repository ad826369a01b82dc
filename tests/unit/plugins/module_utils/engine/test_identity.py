"""Tags that were edited are told from those of other resources, environments and components."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.identity import Wanted, edited

WANTED = {
    "Name": "dev-public-1",
    "groundwork:environment": "dev",
    "groundwork:component": "servers",
    "groundwork:tier": "public",
    "groundwork:server": "1",
}
OTHER = {**WANTED, "Name": "dev-public-2", "groundwork:server": "2"}


@pytest.mark.parametrize("key", WANTED)
@pytest.mark.parametrize("value", [None, "x"])
def test_one_edited_tag_is_found(key: str, value: str | None) -> None:
    tags = {other: text for other, text in WANTED.items() if other != key}
    tags = tags if value is None else {**tags, key: value}
    [found] = edited([Wanted("instance", WANTED)], {("instance", "i-1"): tags, ("instance", "i-2"): OTHER})
    assert (found.id, found.key, found.found, found.value) == ("i-1", key, value, WANTED[key])
    assert f"Put back {key}={WANTED[key]}" in str(found)


@pytest.mark.parametrize(
    "tags",
    [
        WANTED,  # a terminated one
        OTHER,
        {"Name": "dev-public-1"},  # of others, by chance
        {"groundwork:environment": "dev", "groundwork:component": "servers"},
        {**WANTED, "Name": "dev-public-1-next"},
    ],
)
def test_another_resource_is_not_taken_for_it(tags: dict[str, str]) -> None:
    assert edited([Wanted("instance", WANTED)], {("instance", "i-1"): tags}) == []
    assert edited([Wanted("instance", WANTED)], {("volume", "vol-1"): {**WANTED, "Name": "x"}}) == []


def test_an_environment_whose_name_begins_alike_is_another_one() -> None:
    wanted = {"Name": "dev-x-main", "groundwork:environment": "dev", "groundwork:component": "network"}
    theirs = {**wanted, "groundwork:environment": "dev-x"}
    assert edited([Wanted("vpc", wanted)], {("vpc", "vpc-1"): theirs}) == []


def test_the_same_name_in_another_component_is_another_resource() -> None:
    wanted = {"Name": "dev-alb", "groundwork:environment": "dev", "groundwork:component": "firewall"}
    image = {**wanted, "groundwork:component": "image"}
    existing = {("security-group", "sg-1"): image, ("security-group", "sg-2"): {**image, "Name": "dev-builder"}}
    assert edited([Wanted("security-group", wanted)], existing) == []
