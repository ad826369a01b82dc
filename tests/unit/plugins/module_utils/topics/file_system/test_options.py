"""The subnets of the options, and the message for each mistake."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.options import parse_file_system

Make = t.Callable[..., dict[str, t.Any]]


def test_each_zone_has_a_subnet_of_the_tier(options: Make) -> None:
    problems = Problems()
    desired = parse_file_system(options(tier="data"), problems)
    assert desired is not None
    assert (problems.found, desired.groups) == ([], ("files",))
    assert desired.subnets == {"eu-central-1a": "data-a", "eu-central-1b": "data-b"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"zones": []}, "zones: is empty; name at least one Availability Zone, for example eu-central-1a."),
        ({"tier": "Data"}, "tier: 'Data' is not the name of a tier; give the name of a tier of the network."),
        ({"security_groups": []}, "security_groups: has 0 names; name 1 to 5 security groups."),
        ({"security_groups": list("abcdef")}, "security_groups: has 6 names; name 1 to 5 security groups."),
        (
            {"security_groups": ["sg_1"]},
            "security_groups[0]: 'sg_1' is not the name of a security group; give the name of a declared group.",
        ),
        (
            {"security_groups": ["files", "files"]},
            "security_groups[1]: 'files' is named twice; name each group once.",
        ),
    ],
)
def test_each_mistake_has_a_message(options: Make, given: t.Any, told: str) -> None:
    problems = Problems()
    assert parse_file_system(options(**given), problems) is None
    assert [str(one) for one in problems.found] == [told]
