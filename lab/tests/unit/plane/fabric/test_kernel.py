"""The difference between two kernel states."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from groundwork_lab.plane.fabric.kernel import (
    Address,
    Delta,
    Difference,
    End,
    Kernel,
    Link,
    Namespace,
    Route,
    Rule,
    Sysctl,
    difference,
)

NETWORK = IPv4Network("10.0.0.0/24")
ADDRESS = Address("a", IPv4Interface("10.0.0.1/32"))
ROUTE = Route(NETWORK, "a", IPv4Address("10.9.9.9"))
RULE = Rule(100, 7, incoming="a")
GENERAL = Sysctl("net/ipv4/ip_forward", "1")
OF_DEVICE = Sysctl("net/ipv4/conf/a/proxy_arp", "1", "a")
LINK = Link(End("left", "a"), End("right", "b"))

LEFT = Namespace(
    "left",
    sysctls=(GENERAL, OF_DEVICE),
    addresses=frozenset([ADDRESS]),
    routes=frozenset([ROUTE]),
    rules=frozenset([RULE]),
    ruleset="chain x {\n}\n",
)
RIGHT = Namespace("right")
STATE = Kernel({"left": LEFT, "right": RIGHT}, frozenset([LINK]))


def with_left(**changes: object) -> Kernel:
    return replace(STATE, namespaces={"left": replace(LEFT, **changes), "right": RIGHT})


def test_from_nothing_everything_is_made() -> None:
    change = difference(Kernel(), STATE)
    assert change.created == (LEFT, RIGHT)
    assert change.joined == (LINK,)
    assert change.deltas == (
        Delta(
            "left",
            devices=("a",),
            sysctls=(OF_DEVICE,),
            ruleset="chain x {\n}\n",
            addresses=(ADDRESS,),
            routes=(ROUTE,),
            rules=(RULE,),
        ),
        Delta("right", devices=("b",)),
    )
    assert (change.cut, change.removed) == ((), ())


def test_to_nothing_everything_is_removed() -> None:
    assert difference(STATE, Kernel()) == Difference(cut=(LINK,), removed=("left", "right"))


def test_the_same_state_differs_in_nothing() -> None:
    assert difference(STATE, STATE).empty


OTHER = Route(NETWORK, "a", IPv4Address("10.9.9.8"))
ELSEWHERE = Route(IPv4Network("10.1.0.0/24"))
HOLE = Route(NETWORK)


@pytest.mark.parametrize(
    ("changes", "delta"),
    [
        ({"ruleset": ""}, Delta("left", ruleset="")),
        ({"routes": frozenset()}, Delta("left", stale_routes=(ROUTE,))),
        ({"routes": frozenset([OTHER])}, Delta("left", routes=(OTHER,))),
        ({"routes": frozenset([HOLE])}, Delta("left", routes=(HOLE,))),
        ({"routes": frozenset([ROUTE, ELSEWHERE])}, Delta("left", routes=(ELSEWHERE,))),
        (
            {"routes": frozenset([replace(ROUTE, table=9)])},
            Delta("left", routes=(replace(ROUTE, table=9),), stale_routes=(ROUTE,)),
        ),
        (
            {"rules": frozenset([replace(RULE, table=8)])},
            Delta("left", rules=(replace(RULE, table=8),), stale_rules=(RULE,)),
        ),
        ({"addresses": frozenset()}, Delta("left", stale_addresses=(ADDRESS,))),
        ({"sysctls": (OF_DEVICE, replace(GENERAL, value="0"))}, Delta("left", sysctls=(replace(GENERAL, value="0"),))),
    ],
)
def test_one_change_needs_one_step(changes: dict[str, object], delta: Delta) -> None:
    """Test that a route with the same destination and table is replaced in one step, without an interruption."""
    assert difference(STATE, with_left(**changes)) == Difference(deltas=(delta,))


def test_what_hung_on_a_link_is_made_again_with_it() -> None:
    link = Link(End("left", "a"), End("right", "b", mac="02:00:00:00:00:01"))
    change = difference(STATE, replace(STATE, links=frozenset([link])))
    assert (change.cut, change.joined) == ((LINK,), (link,))
    assert change.deltas == (
        Delta("left", devices=("a",), sysctls=(OF_DEVICE,), addresses=(ADDRESS,), routes=(ROUTE,)),
        Delta("right", devices=("b",)),
    )


def test_what_goes_with_a_link_is_not_removed_by_hand() -> None:
    bare = replace(LEFT, addresses=frozenset(), routes=frozenset(), sysctls=(GENERAL,))
    change = difference(STATE, Kernel({"left": bare, "right": RIGHT}))
    assert change == Difference(cut=(LINK,))


def test_an_unknown_ruleset_is_always_replaced() -> None:
    change = difference(with_left(ruleset=None, sysctls=()), STATE)
    assert change.deltas == (Delta("left", sysctls=(GENERAL, OF_DEVICE), ruleset=LEFT.ruleset),)


def test_routers_come_before_what_hangs_on_them() -> None:
    """Test the order in which the near end of each link comes up first."""
    link = Link(End("right", "b"), End("left", "a"))
    change = difference(Kernel(), Kernel({"left": Namespace("left"), "right": RIGHT}, frozenset([link])))
    assert [delta.namespace for delta in change.deltas] == ["right", "left"]
