"""The desired database of the options, and the message for each mistake of a module's own options."""

from __future__ import annotations

import typing as t

import pytest
from topic_options.database import PARAMETER, PASSWORD

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import parse_database

Make = t.Callable[..., dict[str, t.Any]]


def test_what_is_desired(options: Make) -> None:
    problems = Problems()
    given = {"max_connections": 200, "event_scheduler": True, "local_infile": 1}
    desired = parse_database(options(tier="data", maintenance_window="Sun:03:30-Sun:04:30", parameters=given), problems)
    assert desired is not None
    assert (problems.found, desired.groups, desired.subnets) == ([], ("database",), ("data-a", "data-b"))
    assert desired.maintenance_window == "sun:03:30-sun:04:30"
    assert desired.parameters == {
        "character_set_server": "utf8mb4",
        "collation_server": "utf8mb4_unicode_ci",
        "event_scheduler": "1",
        "local_infile": "1",
        "max_connections": "200",
        "require_secure_transport": "1",
    }
    assert (desired.family, desired.parameter_group) == ("mariadb10.11", "database-mariadb10-11")
    assert desired.password == PASSWORD
    assert PASSWORD not in repr(desired)


def test_without_a_password_only_a_plan_is_possible(options: Make) -> None:
    desired = parse_database(options(secrets={}), Problems())
    assert desired is not None
    assert desired.password == KNOWN_AFTER_APPLY


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"zones": []}, "zones: is empty; name at least one Availability Zone, for example eu-central-1a."),
        ({"security_groups": []}, "security_groups: has 0 names; name 1 to 5 security groups."),
        (
            {"security_groups": ["sg_1"]},
            "security_groups[0]: 'sg_1' is not the name of a security group; give the name of a declared group.",
        ),
        (
            {"password": "correct-horse"},
            "password: is not a placeholder for a password; write @groundwork(parameter:/path)@, and give the password "
            "in secrets by this path.",
        ),
        (
            {"secrets": {"/other": PASSWORD}},
            f"password: contains a placeholder for {PARAMETER}, which is not in secrets; add the value of this "
            "parameter to secrets.",
        ),
        *(
            (
                {"secrets": {PARAMETER: wrong}},
                f"secrets.{PARAMETER}: RDS cannot have this master password; use 8 to 41 printable ASCII characters, "
                "without slashes, quotation marks, at signs and blanks.",
            )
            for wrong in (
                "short",
                "with a blank",
                "with/slash",
                'with"quotation',
                "at@sign-and-more",
                "x" * 42,
                "pässword",
            )
        ),
    ],
)
def test_each_mistake_has_a_message(options: Make, given: t.Any, told: str) -> None:
    problems = Problems()
    assert parse_database(options(**given), problems) is None
    assert [str(one) for one in problems.found] == [told]
