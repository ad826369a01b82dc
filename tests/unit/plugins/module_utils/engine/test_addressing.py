"""CIDR blocks are parsed strictly, and new ones are allocated after the existing ones."""

from __future__ import annotations

import random
from ipaddress import IPv4Network

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import (
    NoRoom,
    allocate,
    check_admin_cidr,
    is_private,
    overlaps,
    parse_cidr,
    parse_vpc_block,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

VPC = IPv4Network("10.20.0.0/16")


def nets(**blocks: str) -> dict[str, IPv4Network]:
    return {name: IPv4Network(block) for name, block in blocks.items()}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.20.0.0/16", None),
        ("10.20.0.1/16", "v: '10.20.0.1/16' is not in canonical form; write 10.20.0.0/16."),
        ("10.20.0.0/255.255.0.0", "v: '10.20.0.0/255.255.0.0' is not in canonical form; write 10.20.0.0/16."),
        ("10.20.0.0", "v: '10.20.0.0' is not in canonical form; write 10.20.0.0/32."),
        ("10.20.0/16", "v: '10.20.0/16' is not an IPv4 CIDR block; write address/prefix, for example 10.20.0.0/16."),
        ("fd00::/8", "v: 'fd00::/8' is not an IPv4 CIDR block; write address/prefix, for example 10.20.0.0/16."),
        ("", "v: '' is not an IPv4 CIDR block; write address/prefix, for example 10.20.0.0/16."),
        (
            "10.20.0.0/33",
            "v: '10.20.0.0/33' is not an IPv4 CIDR block; write address/prefix, for example 10.20.0.0/16.",
        ),
    ],
)
def test_parse_cidr(text: str, told: str | None) -> None:
    problems = Problems()
    parsed = parse_cidr(text, "v", problems)
    assert [str(problem) for problem in problems.found] == ([told] if told else [])
    assert (parsed is None) == bool(told)


@pytest.mark.parametrize(
    ("text", "good"), [("10.0.0.0/15", False), ("10.0.0.0/16", True), ("10.0.0.0/28", True), ("10.0.0.0/29", False)]
)
def test_sizes_that_aws_takes(text: str, good: bool) -> None:
    problems = Problems()
    assert (parse_vpc_block(text, "v", problems) is not None) == good
    assert bool(problems.found) != good


@pytest.mark.parametrize(
    ("wanted", "existing", "given", "expected"),
    [
        pytest.param("a b", {}, {}, {"a": "10.20.0.0/24", "b": "10.20.1.0/24"}, id="from the bottom"),
        pytest.param("a b c", {"a": "10.20.0.0/24", "b": "10.20.1.0/24"}, {}, {"c": "10.20.2.0/24"}, id="append"),
        pytest.param(
            "a c b", {"a": "10.20.0.0/24", "b": "10.20.1.0/24"}, {}, {"c": "10.20.2.0/24"}, id="in the middle"
        ),
        pytest.param("b c", {"b": "10.20.1.0/24"}, {}, {"c": "10.20.2.0/24"}, id="a freed block is not used again"),
        pytest.param("b", {"x": "10.20.7.0/24"}, {}, {"b": "10.20.8.0/24"}, id="after an undeclared one"),
        pytest.param(
            "a b", {}, {"b": "10.20.0.0/24"}, {"a": "10.20.1.0/24", "b": "10.20.0.0/24"}, id="around a given one"
        ),
        pytest.param(
            "a b c",
            {"a": "10.20.0.0/24", "b": "10.20.255.0/24"},
            {"b": "10.20.255.0/24"},
            {"c": "10.20.1.0/24"},
            id="a given one at the top is not the highest",
        ),
        pytest.param("a b", {"a": "10.20.255.0/24"}, {}, {"b": "10.20.0.0/24"}, id="nothing above: the lowest"),
        pytest.param("a b", {"a": "10.20.0.0/26"}, {}, {"b": "10.20.1.0/24"}, id="aligned after a smaller one"),
    ],
)
def test_allocation(wanted: str, existing: dict[str, str], given: dict[str, str], expected: dict[str, str]) -> None:
    blocks = allocate(VPC, 24, wanted.split(), existing=nets(**existing), given=nets(**given))
    declared = {name: block for name, block in existing.items() if name in wanted.split()}
    assert {name: str(block) for name, block in blocks.items()} == {**declared, **expected}


def test_blocks_of_others_are_avoided() -> None:
    taken = [IPv4Network("10.20.0.0/23")]
    assert allocate(VPC, 24, ["a"], existing={}, given={}, taken=taken) == nets(a="10.20.2.0/24")


@pytest.mark.parametrize(
    ("cidr", "prefix", "count"), [("10.20.0.0/24", 25, 3), ("10.20.0.0/24", 24, 2), ("10.20.0.0/24", 23, 1)]
)
def test_no_room(cidr: str, prefix: int, count: int) -> None:
    with pytest.raises(NoRoom):
        allocate(IPv4Network(cidr), prefix, [str(n) for n in range(count)], existing={}, given={})


@pytest.mark.parametrize("seed", range(25))
def test_growing_moves_nothing_and_never_overlaps(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    names: list[str] = []
    existing: dict[str, IPv4Network] = {}
    given: dict[str, IPv4Network] = {}
    for step in range(12):
        names.insert(dice.randint(0, len(names)), f"n{step}")
        if dice.random() < 0.3:
            block = IPv4Network((int(VPC.network_address) + 256 * dice.randrange(256), 24))
            if not any(block.overlaps(other) for other in existing.values()):
                given[f"n{step}"] = block
        blocks = allocate(VPC, 24, names, existing=existing, given=given)
        assert existing.items() <= blocks.items()
        assert given.items() <= blocks.items()
        assert not overlaps(blocks)
        assert all(block.subnet_of(VPC) for block in blocks.values())
        existing = blocks


def test_interrupted_anywhere_the_rest_goes_where_it_would_have_gone() -> None:
    names = ["public-a", "public-b", "private-a", "private-b"]
    whole = allocate(VPC, 24, names, existing={}, given={})
    for made in range(len(names)):
        existing = {name: whole[name] for name in names[:made]}
        assert allocate(VPC, 24, names, existing=existing, given={}) == whole


@pytest.mark.parametrize(
    ("block", "private"),
    [("172.16.0.0/16", True), ("172.32.0.0/16", False), ("100.64.0.0/16", True), ("198.18.0.0/16", False)],
)
def test_private_space(block: str, private: bool) -> None:
    assert is_private(IPv4Network(block)) == private


@pytest.mark.parametrize(
    ("network", "wrong"),
    [
        ("198.18.0.10/32", None),
        ("10.0.0.0/8", None),
        ("192.0.2.0/24", "192.0.2.0/24 is an example network of RFC 5737"),
        ("203.0.113.7/32", "203.0.113.7/32 is an example network of RFC 5737"),
        ("office", "'office' is not an IPv4 CIDR block"),
    ],
)
def test_an_administrator_has_no_example_network(network: str, wrong: str | None) -> None:
    problems = Problems()
    check_admin_cidr(network, "admin_cidrs[0]", problems)
    assert [problem.wrong for problem in problems.found] == ([wrong] if wrong else [])
