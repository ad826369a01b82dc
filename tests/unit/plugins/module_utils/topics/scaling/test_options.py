"""What of the options of `autoscaling_server_groups` cannot be."""

from __future__ import annotations

import typing as t

import pytest
from topic_options.scaling import Make

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import (
    parse_server_groups,
    split_tiers,
)

IMAGE = "ami-0123456789abcdef0"


def problems_of(options: dict[str, t.Any], **known: t.Any) -> list[str]:
    problems = Problems()
    assert (parse_server_groups(options, problems, **known) is None) == bool(problems.found)
    return [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ({}, None),
        ({"group": {"min": 0, "max": 0}}, None),
        ({"count": 2}, "tiers.public: has both count and group; give count for numbered servers, or group for"),
        ({"group": {"min": 3, "max": 2}}, "tiers.public.group.max: 2 is less than min (3); give 3 or more."),
        ({"group": {"desired": 5}}, "tiers.public.group.desired: 5 is out of range; give 2 to 4."),
        ({"group": {"min": -1}}, "tiers.public.group.min: -1 is out of range"),
        ({"group": {"warmup": -1}}, "tiers.public.group.warmup: -1 is out of range"),
        ({"group": {"health_check_grace": 9999}}, "tiers.public.group.health_check_grace: 9999 is out of range"),
        ({"group": {"maximum": 3}}, "tiers.public.group.maximum: is not an option"),
        ({"image": {"id": IMAGE, "parameter": "/x"}}, "tiers.public.image: has both id and parameter"),
        ({"image": {"id": "debian"}}, "tiers.public.image.id: 'debian' is not the id of an image"),
        ({"image": {"parameter": "x"}}, "tiers.public.image.parameter: 'x' is not the name of a parameter; give"),
        ({"image": {"name": "debian-*"}}, "tiers.public.image.name: is not an option"),
        ({"instance_type": "small"}, "tiers.public.instance_type: 'small' is not an instance type"),
        ({"colour": "blue"}, "tiers.public.colour: is not an option; use one of cpu_credits, group, image"),
    ],
)
def test_a_tier(options: Make, tier: dict[str, t.Any], expected: str | None) -> None:
    found = problems_of(options(public=tier))
    assert len(found) == (expected is not None)
    assert not expected or found[0].startswith(expected)


SCALING = "tiers.public.group.scaling"


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({"scaling": {"cpu_percent": 1}}, []),
        ({"scaling": {"cpu_percent": 100, "requests_per_target": 1, "warmup": 0, "disable_scale_in": True}}, []),
        ({"scaling": {"requests_per_target": 5, "target_group": "public"}}, []),
        ({"scaling": {"requests_per_target": 5, "target_group": "b"}, "target_groups": ["a", "b"]}, []),
        ({"scaling": {"cpu_percent": 50}, "target_groups": []}, []),
        ({"scaling": {}}, [f"{SCALING}: has no target; give cpu_percent, requests_per_target or both"]),
        ({"scaling": {"cpu_percent": 0}}, [f"{SCALING}.cpu_percent: 0 is out of range"]),
        ({"scaling": {"cpu_percent": 101}}, [f"{SCALING}.cpu_percent: 101 is out of range"]),
        ({"scaling": {"requests_per_target": 0}}, [f"{SCALING}.requests_per_target: 0 is out of range"]),
        ({"scaling": {"cpu_percent": 50, "warmup": -1}}, [f"{SCALING}.warmup: -1 is out of range"]),
        ({"scaling": {"cpu": 50, "cpu_percent": 50}}, [f"{SCALING}.cpu: is not an option"]),
        (
            {"scaling": {"cpu_percent": 50}, "min": 2, "max": 2},
            [f"{SCALING}: has no effect, because min and max are both 2; give a larger max"],
        ),
        (
            {"scaling": {"cpu_percent": 50}, "desired": 3},
            ["tiers.public.group.desired: each run would set the capacity to 3, whatever the policies"],
        ),
        (
            {"scaling": {"requests_per_target": 5}, "target_groups": []},
            [f"{SCALING}.requests_per_target: the group has no target group whose requests could be counted"],
        ),
        (
            {"scaling": {"requests_per_target": 5}, "target_groups": ["a", "b"]},
            [f"{SCALING}.target_group: the group has several target groups; name the one whose requests count: a, b"],
        ),
        (
            {"scaling": {"requests_per_target": 5, "target_group": "shop"}},
            [f"{SCALING}.target_group: 'shop' is not a target group of the group; use one of public"],
        ),
        (
            {"scaling": {"cpu_percent": 50, "target_group": "public"}},
            [f"{SCALING}.target_group: has no effect without requests_per_target"],
        ),
        (
            {"scaling": {"cpu_percent": 0, "requests_per_target": 0}, "min": 3, "max": 3, "desired": 3},
            [
                f"{SCALING}: has no effect",
                "tiers.public.group.desired: each run",
                f"{SCALING}.cpu_percent: 0",
                f"{SCALING}.requests_per_target: 0",
            ],
        ),
    ],
)
def test_scaling(options: Make, group: dict[str, t.Any], expected: list[str]) -> None:
    found = problems_of(options(public={"group": dict(group)}))
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True))


def test_requests_are_counted_behind_a_balancer(options: Make) -> None:
    given = options(public={"group": {"scaling": {"requests_per_target": 100}}})
    assert problems_of(given, target_groups=["public"], balanced=["public"]) == []
    assert problems_of(given, target_groups=["public"], balanced=["private"]) == [
        f"{SCALING}.requests_per_target: no load balancer forwards requests to the target group 'public'; name it in "
        "an action of alb_load_balancers, or leave requests_per_target out."
    ]
    assert len(problems_of(given, target_groups=["private"], balanced=["private"])) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"refresh_min_healthy": 50, "refresh_max_healthy": 150}, ""),
        (
            {"refresh_min_healthy": 0},
            "refresh_max_healthy: 150 is more than 100 above refresh_min_healthy (0); give at",
        ),
        ({"refresh_min_healthy": 101}, "refresh_min_healthy: 101 is out of range"),
        ({"refresh_max_healthy": 99}, "refresh_max_healthy: 99 is out of range"),
        ({"metadata_hop_limit": 0}, "metadata_hop_limit: 0 is out of range"),
        ({"deadline": 0}, "deadline: 0 is out of range"),
        ({"refresh_deadline": 0}, "refresh_deadline: 0 is out of range"),
        (
            {"tiers": {f"t{n}": {"group": {"min": 1, "max": 1}, "instance_type": "t3.small"} for n in range(11)}},
            "tiers: contains 11 tiers",
        ),
        ({"tiers": {"public": 3}}, "tiers.public: 3 is not a dictionary; give group and instance_type below it."),
    ],
)
def test_all_tiers(options: Make, given: dict[str, t.Any], expected: str) -> None:
    found = problems_of(options(**given))
    assert (found[0] if found else "").startswith(expected) and bool(found) == bool(expected)


def test_names_of_other_roles(options: Make) -> None:
    known = Known(tiers=["public"], subnets=["public-a", "public-b"], security_groups=["public-servers"])
    assert problems_of(options(), known=known, target_groups=["public"]) == []
    assert problems_of(options(), known=known, target_groups=["shop"]) == [
        "tiers.public.group.target_groups: 'public' is not a target group; use one of shop."
    ]


def test_tiers_are_counted_or_groups() -> None:
    problems = Problems("servers_")
    counted, group = {"count": 1}, {"group": {"min": 1, "max": 1}}
    assert split_tiers({"a": counted, "b": group}, problems) == ({"a": counted}, {"b": group})
    assert problems.found == []
    split_tiers({"both": {**counted, **group}}, problems)
    [problem] = problems.found
    assert (problem.variable, problem.wrong) == ("servers_tiers.both", "has both count and group")
