"""References between topics: the image's public subnet, and tiers with a count or an Auto Scaling group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.project.checks import CHECKS
from ansible_collections.groundwork.aws.plugins.module_utils.project.references import check_topics

ROLES = Path(__file__).parents[5] / "roles"
ENVIRONMENT = {"environment_name": "dev", "aws_region": "eu-central-1", "environment_tags": None}
NETWORK = {
    "network_cidr": "10.20.0.0/16",
    "network_zones": ["eu-central-1a", "eu-central-1b"],
    "network_tiers": [{"name": "public", "public": True}, {"name": "private", "public": False}],
    "network_subnet_prefix": 24,
    "network_subnet_cidrs": {},
    "network_s3_endpoint": False,
    "network_purge": False,
}
IMAGE = {
    "image_base": {},
    "image_subnet": "public-a",
    "image_instance_type": "t3.small",
    "image_admin_cidrs": ["203.0.113.7/32"],
    "image_keep": 3,
    "image_rebuild": False,
    "image_deadline": 900,
    "image_test_path": "/healthz",
    "image_test_deadline": 120,
}


def defaults(role: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text())
    return found


def told(**given: Any) -> list[str]:
    problems = Problems()
    check_topics({"network": {**ENVIRONMENT, **NETWORK}, "image": {**ENVIRONMENT, **IMAGE, **given}}, problems)
    return [str(problem) for problem in problems.found]


def test_an_image_that_can_be_baked() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"image_subnet": "private-a"},
            "image_subnet: 'private-a' is not a public subnet; use one of public-a, public-b.",
        ),
        ({"image_keep": 0}, "image_keep: 0 is out of range; give a whole number from 1 to 100."),
        ({"image_test_path": "healthz"}, "image_test_path: 'healthz' does not begin with /; begin the path with /."),
        ({"image_test_deadline": 0}, "image_test_deadline: 0 is out of range; give a whole number from 1 to 3600."),
        (
            {"image_base": {"owner": "debian"}},
            "image_base.owner: 'debian' is not the owner of images; give a 12-digit account id",
        ),
    ],
)
def test_an_image_that_cannot(given: dict[str, Any], message: str) -> None:
    (problem,) = told(**given)
    assert problem.startswith(message)


ZONES = {"servers_zones": ["eu-central-1a", "eu-central-1b"]}
COUNTED = {"count": 1, "instance_type": "t3.small"}
GROUP = {"group": {"min": 2, "max": 4}, "instance_type": "t3.small"}


def tiered(tiers: dict[str, Any]) -> dict[str, Any]:
    """Return the tiers, each with a target group of the same name."""
    return {"servers_tiers": tiers, "servers_replace_target_groups": {tier: tier for tier in tiers}}


def problems_of(tiers: dict[str, Any], **given: Any) -> list[str]:
    own = {**ENVIRONMENT, **defaults("servers"), **ZONES, **tiered(tiers), **given}
    problems = Problems()
    check_topics({"network": {**ENVIRONMENT, **NETWORK}, "servers": own}, problems)
    return [str(problem) for problem in problems.found]


def test_tiers_of_both_kinds_live_side_by_side() -> None:
    rights = {"public": {"parameters": ["/groundwork/dev/lamp/app/database-password"]}}
    assert problems_of({"public": GROUP, "private": COUNTED}, servers_roles=rights) == []


@pytest.mark.parametrize(
    ("tier", "given", "expected"),
    [
        (
            {**GROUP, **COUNTED},
            {},
            "servers_tiers.public: has both count and group; give count for numbered servers, or group for an Auto "
            "Scaling group.",
        ),
        ({**GROUP, "group": {"min": 2}}, {}, "servers_tiers.public.group.max: is missing; give a whole number."),
        (GROUP, {"servers_refresh_max_healthy": 90}, "servers_refresh_max_healthy: 90 is out of range"),
        (
            GROUP,
            {"servers_roles": {"private": {"parameters": ["/x"]}}},
            "servers_roles.private: 'private' is not an Auto Scaling group; use some of public.",
        ),
        ({**GROUP, "subnets": ["public-c"]}, {}, "servers_tiers.public.subnets: 'public-c' is not a subnet"),
        (GROUP, {"servers_replace": "public-1"}, "servers_replace: 'public-1' is not a server"),
        (COUNTED, {"servers_replace": "public-1, public-2"}, "servers_replace: 'public-2' is not a server"),
        (COUNTED, {"servers_replace": 3}, "servers_replace: '3' is not a server"),
        (COUNTED, {"servers_replace_batch": "0"}, "servers_replace_batch: '0' is not a number of servers"),
        (COUNTED, {"servers_replace_paths": []}, "servers_replace_paths: is empty"),
        (COUNTED, {"servers_replace_paths": ["/", "x"]}, "servers_replace_paths[1]: 'x' does not begin with /"),
        (COUNTED, {"servers_replace_requests": 0}, "servers_replace_requests: 0 is out of range"),
        (
            COUNTED,
            {"servers_replace_target_groups": {"web": "wep"}},
            "servers_replace_target_groups.web: 'wep' is not the name of a tier",
        ),
    ],
)
def test_servers_that_cannot_be_are_told_once(tier: Any, given: dict[str, Any], expected: str) -> None:
    [problem] = problems_of({"public": tier, "private": COUNTED}, **given)
    assert problem.startswith(expected)


SITE = {"name": "app", "web_root": "public", "server_names": [], "database": True}
LAMP = {
    "lamp_server_name": "localhost",
    "lamp_sites": [SITE],
    "lamp_database_address": "(known after apply)",
    "lamp_database_cidr": "10.20.0.0/16",
    "lamp_trusted_proxies": [],
    "lamp_probe_cidrs": [],
}
PASSWORDS = {"lamp_database_passwords": {"app": "correct-horse-battery"}}
RELEASE = {"release_error_threshold": 1.0, "release_probe_paths": ["/"], "release_target_groups": {}}


def problems_of_lamp(tiers: dict[str, Any], *, release_tiers: Any = (), **given: Any) -> list[str]:
    servers = {**ENVIRONMENT, **defaults("servers"), **ZONES, **tiered(tiers)}
    topics = {
        "servers": servers,
        "lamp": {**ENVIRONMENT, **defaults("lamp"), **LAMP, **given},
        "release": {**ENVIRONMENT, **defaults("release"), **RELEASE, "release_tiers": release_tiers or [*tiers]},
    }
    problems = Problems()
    check_topics(topics, problems)
    return [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("image", "version", "expected"),
    [
        (None, "8.2", None),
        (None, "8.4", None),  # the promoted image may be of Debian 13
        *(
            (image, "8.3", "lamp_php_version: Debian has no PHP 8.3: 8.2 in Debian 12, 8.4 in Debian 13; give the")
            for image in (
                None,
                {"name": "my-own-*", "owner": "self"},
                {"id": "ami-0123456789abcdef0"},
                {"promoted": True},
            )
        ),
        ({"name": "debian-12-amd64-*"}, "8.2", None),
        ({"name": "debian-12-amd64-*"}, "8.4", "lamp_php_version: debian-12-amd64-* has PHP 8.2, not 8.4; give that"),
        ({"name": "debian-13-amd64-*"}, "8.4", None),
        ({"name": "debian-13-amd64-*"}, "8.2", "lamp_php_version: debian-13-amd64-* has PHP 8.4, not 8.2; give that"),
        ({"name": "my-own-*", "owner": "self"}, "8.4", None),
        ({"id": "ami-0123456789abcdef0"}, "8.4", None),
        ({"promoted": True}, "8.4", None),
    ],
)
def test_the_image_has_the_version_of_php(image: Any, version: str, expected: str | None) -> None:
    tier = {**COUNTED, "image": image} if image else COUNTED
    found = problems_of_lamp({"public": tier, "private": tier}, lamp_php_version=version)
    assert [problem[: len(expected or "")] for problem in found] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("tiers", "given"),
    [
        ({"public": GROUP, "private": COUNTED}, {}),
        ({"public": GROUP, "private": COUNTED}, {"lamp_database_server": "private-1"}),
        ({"public": COUNTED, "private": COUNTED}, PASSWORDS),
        ({"public": {**GROUP, "user_data": "#!/bin/sh"}, "private": COUNTED}, PASSWORDS),
        ({"public": GROUP, "private": COUNTED}, {"release_tiers": ["private"], "lamp_bucket": "releases-of-ours"}),
        ({"public": GROUP, "private": GROUP}, {}),
    ],
)
def test_groups_whose_servers_configure_themselves(tiers: dict[str, Any], given: dict[str, Any]) -> None:
    assert problems_of_lamp(tiers, **given) == []


@pytest.mark.parametrize(
    ("tiers", "given", "expected"),
    [
        (
            {"public": GROUP, "private": COUNTED},
            PASSWORDS,
            "lamp_database_passwords.app: the servers of public configure themselves, and read it from Parameter "
            "Store; remove it, or store it there as /groundwork/<environment>/lamp/app/database-password.",
        ),
        (
            {"public": COUNTED, "private": GROUP},
            {"lamp_database_server": "private-1"},
            "lamp_database_server: the private tier has no server 'private-1'; give each or managed, "
            "because the private tier has no",
        ),
        ({"public": GROUP}, {"lamp_bucket": "A"}, "lamp_bucket: 'A' is not a valid bucket name"),
        (
            {"public": GROUP, "private": GROUP},
            {"release_tiers": ["public"]},
            "release_tiers: private is missing, and other Auto Scaling groups are given; name all groups or none",
        ),
    ],
)
def test_what_servers_that_configure_themselves_cannot(tiers: Any, given: dict[str, Any], expected: str) -> None:
    [problem] = problems_of_lamp(tiers, **given)
    assert problem.startswith(expected)


def test_a_bucket_is_the_static_sites_or_the_releases() -> None:
    problems = Problems()
    own = {**ENVIRONMENT, **defaults("lamp"), **LAMP, "lamp_bucket": "one-for-all"}
    static = {**ENVIRONMENT, **defaults("static_site"), "static_site_bucket": "one-for-all"}
    check_topics({"lamp": own, "static_site": static}, problems)
    told_of = [str(problem) for problem in problems.found]
    assert told_of == ["lamp_bucket: 'one-for-all' is the static site's bucket; give another bucket, or none."]


def test_a_check_refers_to_roles_that_exist() -> None:
    roles = {path.name for path in ROLES.iterdir()}
    assert {*CHECKS} == roles
    assert {other for check in CHECKS.values() for other in (*check.refers, check.after)} <= {*roles, ""}


@pytest.mark.parametrize(
    ("cidr", "wrong"), [("10.20.0.0/16", {"servers_tiers.public.subnets"}), ("10.20.0.0/33", {"network_cidr"})]
)
def test_roles_that_refer_to_a_network_with_problems_are_not_checked(cidr: str, wrong: set[str]) -> None:
    own = {**ENVIRONMENT, **defaults("servers"), **tiered({"public": COUNTED}), "servers_zones": []}
    problems = Problems()
    check_topics({"network": {**ENVIRONMENT, **NETWORK, "network_cidr": cidr}, "servers": own}, problems)
    assert {problem.variable.partition("[")[0] for problem in problems.found} == wrong
