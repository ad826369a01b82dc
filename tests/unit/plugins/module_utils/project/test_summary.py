"""The summary of a run: sums, components, replacements, and servers that get the same."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.project.summary import (
    ACTIONS,
    WIDTH,
    Entry,
    summary,
    text,
)

SUBNETS = [Entry("", "network", "create", "subnet", f"public-{zone}") for zone in "ab"]


def told(*entries: Entry, planned: bool = True) -> list[str]:
    return text(summary(entries, "dev", planned=planned))


def test_nothing_is_one_line() -> None:
    assert told() == ["Plan of the environment dev: nothing to change."]
    assert told(planned=False) == ["Changes of the environment dev: nothing was changed."]


def test_resources_are_told_by_component_and_action() -> None:
    entries = (
        Entry("", "network", "create", "vpc", "main"),
        *SUBNETS,
        Entry("", "network", "update", "route table", "public"),
        Entry("", "server_roles", "create", "policy", "a"),
        Entry("", "server_roles", "create", "policy", "b"),
    )
    assert told(*entries) == [
        "Plan of the environment dev: 5 to create, 1 to update, 0 to replace, 0 to delete.",
        "  network      create  vpc main; subnets public-a, public-b",
        "               update  route table public",
        "  server_roles create  policies a, b",
    ]
    assert told(*entries, planned=False)[0].startswith("Changes of the environment dev: 5 created, 1 updated,")


def test_servers_that_get_the_same_are_told_once() -> None:
    same = [
        Entry(host, "lamp", action, "file" if action == "create" else "package", name)
        for host in ("b", "a")
        for action, name in (("install", "apache2"), ("create", "x"), ("create", "y"))
    ]
    data = summary([*same, Entry("c", "lamp", "update", "service", "apache2")], "dev", planned=True)
    assert [group["names"] for group in data["components"][0]["servers"]] == [["a", "b"], ["c"]]
    assert text(data) == [
        "Plan of the environment dev: 0 to create, 0 to update, 0 to replace, 0 to delete; 7 changes on 3 servers.",
        "  lamp on a, b: create 2 files; install 1 package",
        "       on c: update 1 service",
    ]


@pytest.mark.parametrize("order", [("delete", "create"), ("create", "delete")])
def test_a_deletion_and_a_creation_of_one_resource_replace_it(order: tuple[str, str]) -> None:
    names = {"delete": "alb-public (3f0a)", "create": "alb-public"}
    settings = {
        "delete": {"arn": "x", "names": ["a"], "region": "r"},
        "create": {"arn": "y", "names": ["b"], "region": "r"},
    }
    entries = [Entry("", "dns", action, "certificate", names[action], settings[action]) for action in order]
    data = summary(entries, "dev", planned=False)
    assert data["components"][0]["changes"] == [
        {"action": "replace", "resource": "certificate", "name": "alb-public", "because": ["names"]},
    ]
    assert text(data)[1] == "  dns replace certificate alb-public (other names)"
    assert data["totals"]["aws"] == {"create": 0, "update": 0, "replace": 1, "delete": 0}


def test_the_sums_are_those_of_the_changes() -> None:
    entries = [
        Entry(host, component, action, "thing", f"{number}")
        for number, (host, component, action) in enumerate(
            itertools.product(("", "public-1"), ("network", "lamp"), ("create", "update", "delete"))
        )
    ]
    data = summary(entries, "dev", planned=True)
    counted = {
        where: {action: sum(one["action"] == action for one in changes) for action in ACTIONS}
        for where, changes in (
            ("aws", [one for each in data["components"] for one in each["changes"]]),
            ("servers", [one for each in data["components"] for group in each["servers"] for one in group["changes"]]),
        )
    }
    assert data["totals"] == counted
    assert sum(sum(one.values()) for one in counted.values()) == len(entries)


def test_a_large_plan_is_short_and_narrow() -> None:
    many = [Entry("", "firewall", "create", "security group rule", f"rule-{number}") for number in range(300)]
    lines = told(*many, *SUBNETS)
    assert len(lines) < 6
    assert all(len(line) <= WIDTH for line in lines)
    assert "and 292 more" in " ".join(" ".join(lines).split())


def test_a_long_name_is_not_broken() -> None:
    name = "a-name-with-hyphens-" * 8
    assert any(name in line for line in told(Entry("", "x", "create", "thing", name)))
