"""Wrong options are told all at once, each with its variable; right ones become what is desired."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    ImageChoice,
    Servers,
    is_burstable,
    parse_servers,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz me@here\n"
ECDSA = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFSMqzJeV9rUzU4kWitGjeR4PWSa29SPqJ1fVkhtj"
    "3Hw9xjLVXVYrU9QlYWrOLXBpQ6KWjbjTDTdDkoohFzgbEY=\n"
)
FILES = {
    "id.pub": KEY,
    "id": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    "ecdsa.pub": ECDSA,
    "cut.pub": KEY[:40],
    "empty.pub": "",
}
KNOWN = Known(
    tiers={"public", "private"}, subnets={"public-a", "public-b"}, security_groups={"public-servers", "private-servers"}
)


def read(path: str) -> str:
    if path == "secret.pub":
        raise PermissionError(13, "Permission denied")
    if path not in FILES:
        raise FileNotFoundError(path)
    return FILES[path]


def parse(
    public: t.Any = None, problems: Problems | None = None, known: Known = KNOWN, **given: t.Any
) -> Servers | None:
    tier = {"count": 2, "instance_type": "t3.small"}
    options = {
        "tiers": {"public": {**tier, **public} if isinstance(public or {}, dict) and public else public or tier},
        "zones": ["eu-central-1a", "eu-central-1b"],
        "key_file": "id.pub",
        "key_file_planned": False,
        "metadata_hop_limit": 1,
        "allow_removal": False,
        "deadline": 600,
        **given,
    }
    return parse_servers(options, problems if problems is not None else Problems(), known=known, read=read)


def test_defaults() -> None:
    servers = parse()
    assert servers and servers.key
    (tier,) = servers.tiers
    assert [(p.subnet, p.zone) for p in tier.placements] == [
        ("public-a", "eu-central-1a"),
        ("public-b", "eu-central-1b"),
    ]
    assert tier.security_groups == ("public-servers",) and tier.public_ip
    assert tier.image == ImageChoice("136693071363", "debian-12-amd64-*", promoted="may")
    assert [tier.placement(number).subnet for number in (1, 2, 3)] == ["public-a", "public-b", "public-a"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"public": {"count": -1}}, "tiers.public.count: -1 is out of range; give a whole number from 0 to 1000."),
        ({"public": {"count": "two"}}, "tiers.public.count: 'two' is not a whole number; give a whole number."),
        (
            {"public": {"count": True}},
            "tiers.public.count: True is not a whole number; give a whole number.",
        ),
        ({"public": {"cuont": 2}}, "tiers.public.cuont: is not an option; did you mean count."),
        ({"public": 2}, "tiers.public: 2 is not a dictionary; give count and instance_type below it."),
        ({"public": {"instance_type": None}}, "tiers.public.instance_type: is missing; give a string."),
        (
            {"public": {"instance_type": "small"}},
            "tiers.public.instance_type: 'small' is not an instance type; give one",
        ),
        ({"public": {"root_volume_gib": 4}}, "tiers.public.root_volume_gib: 4 GiB is smaller than the image; give"),
        ({"public": {"root_volume_gib": 70000}}, "tiers.public.root_volume_gib: 70000 GiB is larger than the largest"),
        (
            {"public": {"user_data": "#" * 16385}},
            "tiers.public.user_data: 16385 bytes exceed EC2's limit; give at most 16384",
        ),
        (
            {"public": {"cpu_credits": "endless"}},
            "tiers.public.cpu_credits: 'endless' is not a credit option; use standard or unlimited.",
        ),
        (
            {"public": {"instance_type": "m7i.large", "cpu_credits": "standard"}},
            "tiers.public.cpu_credits: servers of the type m7i.large have no CPU credits; remove cpu_credits, or",
        ),
        ({"public": {"subnets": ["public-z"]}}, "tiers.public.subnets: 'public-z' is not a subnet; use one of"),
        ({"public": {"subnets": ["public-a"] * 2}}, "tiers.public.subnets: 'public-a' is given 2 times; give each"),
        ({"public": {"subnets": []}}, "tiers.public.subnets: contains no subnet; give the tier's subnets"),
        ({"public": {"security_groups": ["web"]}}, "tiers.public.security_groups: 'web' is not a security group"),
        ({"public": {"security_groups": []}}, "tiers.public.security_groups: contains 0 security groups; give 1 to 5."),
        ({"public": {"instance_profile": "arn:aws:iam::1:instance-profile/x"}}, "tiers.public.instance_profile: 'arn"),
        (
            {"public": {"image": {"id": "debian"}}},
            "tiers.public.image.id: 'debian' is not the id of an image; give one such as ami",
        ),
        ({"public": {"image": {"owner": "debian"}}}, "tiers.public.image.owner: 'debian' is not the owner of"),
        (
            {"public": {"image": {"id": "ami-0123456789abcdef0", "promoted": True}}},
            "tiers.public.image.id: cannot be combined with promoted=true; remove one of the two.",
        ),
        (
            {"public": {"image": {"names": "x"}}},
            "tiers.public.image.names: is not an option; did you mean name.",
        ),
        (
            {"tiers": {"web": {"count": 1, "instance_type": "t3.nano"}}},
            "tiers.web: 'web' is not the name of a tier; use one of",
        ),
        ({"zones": []}, "tiers.public.subnets: contains no subnet; give the tier's subnets, or give zones."),
        (
            {"key_file": "nowhere.pub"},
            "key_file: the file nowhere.pub does not exist; give the path of a public key on the",
        ),
        (
            {"key_file": "secret.pub"},
            "key_file: secret.pub cannot be read: Permission denied; give a readable public key.",
        ),
        ({"key_file": "id"}, "key_file: id contains a private key; give the public key, probably id.pub."),
        ({"key_file": "ecdsa.pub"}, "key_file: ecdsa.pub contains a key of type ecdsa-sha2-nistp256; give an"),
        ({"key_file": "cut.pub"}, "key_file: cut.pub does not contain a public key; give a file with a line such as"),
        ({"key_file": "empty.pub"}, "key_file: empty.pub does not contain a public key; give a file with a line"),
        ({"metadata_hop_limit": 65}, "metadata_hop_limit: 65 is out of range; give a whole number from 1 to 64."),
        ({"deadline": 0}, "deadline: 0 is out of range; give a whole number from 1 to 86400."),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, t.Any], message: str) -> None:
    problems = Problems()
    assert parse(problems=problems, **given) is None
    assert [str(problem)[: len(message)] for problem in problems.found] == [message]


def test_all_problems_are_told_at_once() -> None:
    problems = Problems("servers_")
    parse({"count": -1, "instance_type": "small"}, problems, key_file="nowhere.pub", deadline=0)
    assert [problem.variable for problem in problems.found] == [
        "servers_tiers.public.count",
        "servers_tiers.public.instance_type",
        "servers_key_file",
        "servers_deadline",
    ]


@pytest.mark.parametrize(("key_file", "planned"), [("nowhere.pub", True), ("", False)])
def test_a_key_that_is_still_to_be_made_is_no_problem(key_file: str, planned: bool) -> None:
    servers = parse(key_file=key_file, key_file_planned=planned)
    assert servers and servers.key is None


@pytest.mark.parametrize("name", ["Web", "web_1", "-web", "web-", "w" * 17, "1web"])
def test_tier_names(name: str) -> None:
    problems = Problems()
    tiers = {name: {"count": 1, "instance_type": "t3.nano"}}
    parse(problems=problems, known=Known(), tiers=tiers)
    assert [problem.variable for problem in problems.found] == [f"tiers.{name}"]


@pytest.mark.parametrize(
    ("kind", "burstable"),
    [("t2.nano", True), ("t3.2xlarge", True), ("t3a.micro", True), ("t4g.small", True), ("t1.micro", False)]
    + [(kind, False) for kind in ("m5.large", "trn1.2xlarge", "c7g.medium", "m1.small")],
)
def test_types_with_cpu_credits(kind: str, burstable: bool) -> None:
    assert is_burstable(kind) is burstable


@pytest.mark.parametrize("kind", ["t3.small", "m7i-flex.large", "u-6tb1.112xlarge", "c7gd.metal-16xl", "m5.metal"])
def test_instance_types(kind: str) -> None:
    assert parse({"instance_type": kind})
