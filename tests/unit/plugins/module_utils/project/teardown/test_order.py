"""The graph of resources: the order of removal, its waits, and its batches of calls."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Batch, Thing
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.keeping import keepers, staying
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.order import going, levels, plan_removal
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import unified

SLOW = Wait("it to be gone", ec2("look"), lambda _: True)
SERVERS = Batch("ec2", "terminate_instances", "InstanceIds", 2)


def thing(name: str, *needs: str, **given: t.Any) -> Thing:
    return Thing("thing", name, name, needs=frozenset(needs), calls=(ec2("delete", Id=name),), **given)


def strange(name: str, *needs: str, **given: t.Any) -> Thing:
    return Thing("thing", name, name, ours=False, needs=frozenset(needs), **given)


def names(things: t.Iterable[t.Any]) -> list[str]:
    return [one.name for one in things]


VPC, SUBNET, SERVER = thing("vpc"), thing("subnet", "vpc"), thing("server", "subnet", "address", wait=SLOW)
ADDRESS = thing("address")


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([], []),
        ([VPC, SUBNET, ADDRESS, SERVER], ["server", "subnet", "address", "vpc"]),
        ([SERVER, ADDRESS, SUBNET, VPC], ["server", "address", "subnet", "vpc"]),
        ([thing("b"), thing("a")], ["b", "a"]),
        ([VPC, thing("gone-subnet-s-user", "gone-subnet")], ["vpc", "gone-subnet-s-user"]),
    ],
)
def test_what_needs_goes_before_what_is_needed(things: list[Thing], expected: list[str]) -> None:
    assert names(plan_removal(things)) == expected


def test_all_that_nothing_needs_is_asked_to_go_before_anything_is_awaited() -> None:
    things = [thing("a", "x", wait=SLOW), thing("x"), thing("b", "x", wait=SLOW), thing("c", wait=SLOW)]
    changes = plan_removal(things)
    assert names(changes) == ["a", "b", "c", "x"]
    assert [change.awaits for change in changes] == [(), (), (), (Ref("thing", "a"), Ref("thing", "b"))]
    assert levels(things) == {"a": 0, "b": 0, "c": 0, "x": 1}


def test_what_goes_by_itself_is_only_awaited() -> None:
    [change, _vpc] = plan_removal([Thing("interface", "eni", "eni", needs=frozenset({"vpc"}), wait=SLOW), VPC])
    assert (change.calls, change.wait) == ((), SLOW)


def test_a_batch_is_called_with_its_first_and_no_more_than_it_takes() -> None:
    servers = [Thing("server", f"i-{n}", f"s{n}", batch=SERVERS) for n in range(1, 4)]
    calls = [change.calls for change in plan_removal(servers)]
    assert [[one.arguments["InstanceIds"] for one in each] for each in calls] == [[["i-1", "i-2"]], [], [["i-3"]]]


def test_a_part_is_updated_and_not_counted_as_deleted() -> None:
    rules = Thing("security group rules", "sg/rules", "web", needs=frozenset({"sg"}), part_of="sg")
    changes = plan_removal([thing("sg"), rules])
    assert [str(change) for change in changes] == ["update security group rules web", "delete thing sg"]


# What stays

GRAPH = [VPC, SUBNET, SERVER, ADDRESS, strange("hand", "subnet")]


@pytest.mark.parametrize(
    ("things", "wishes", "refused", "stay"),
    [
        ([VPC, SUBNET], (), {}, set()),
        (GRAPH, (), {}, {"subnet", "vpc"}),
        ([*GRAPH, thing("group", wish="images")], (), {}, {"subnet", "vpc", "group"}),
        ([thing("image", "snapshot", wish="images"), thing("snapshot")], (), {}, {"image", "snapshot"}),
        ([thing("image", "snapshot", wish="images"), thing("snapshot")], ("images",), {}, set()),
        ([VPC, SUBNET, ADDRESS], (), {"subnet": "no."}, {"subnet", "vpc"}),
        # through somebody else's things too
        ([VPC, strange("their subnet", "vpc"), strange("their server", "their subnet")], (), {}, {"vpc"}),
        ([thing("sg"), Thing("rules", "sg/rules", "sg", part_of="sg"), strange("x", "sg")], (), {}, {"sg", "sg/rules"}),
        # a part of what is no longer there
        ([Thing("rules", "sg/rules", "sg", part_of="sg")], (), {}, {"sg/rules"}),
    ],
)
def test_what_stays(things: list[Thing], wishes: tuple[str, ...], refused: dict[str, str], stay: set[str]) -> None:
    assert staying(things, wishes, refused) == stay
    assert {one.id for one in going(things, wishes, refused)} == {one.id for one in things if one.ours} - stay


def test_what_works_through_something_keeps_it_but_may_go_after_it() -> None:
    through = Thing("subnet", "private", "private", works_through=frozenset({"nat"}))
    assert levels([through, thing("nat")]) == {"private": 0, "nat": 0}
    assert staying([through, thing("nat"), strange("hand", "private")], (), {}) == {"private", "nat"}


@pytest.mark.parametrize(
    ("things", "refused", "told"),
    [
        (
            [*GRAPH[:-1], strange("hand", "subnet", place="subnet public-a")],
            {},
            [
                "thing (hand) in subnet public-a, which is not part of the environment, "
                "prevents the removal of thing vpc, thing subnet"
            ],
        ),
        ([VPC, strange("hand")], {}, []),
        (
            [VPC, SUBNET],
            {"subnet": "AWS said no."},
            ["thing (subnet) was not deleted: AWS said no. It prevents the removal of thing vpc"],
        ),
        ([VPC], {"vpc": "AWS said no."}, ["thing (vpc) was not deleted: AWS said no"]),
    ],
)
def test_a_keeper_is_told_with_what_it_keeps(things: list[Thing], refused: dict[str, str], told: list[str]) -> None:
    assert [str(keeper) for keeper in keepers(things, (), refused)] == told


def test_somebody_elses_thing_is_one_thing_however_it_was_found() -> None:
    found = unified([strange("i-1", "subnet", place="subnet a"), strange("i-1", "volume"), VPC])
    assert [(one.id, set(one.needs), one.place) for one in found] == [
        ("i-1", {"subnet", "volume"}, "subnet a"),
        ("vpc", set(), ""),
    ]


def test_what_two_topics_know_of_a_resource_is_known_of_one() -> None:
    kept, deleted = Thing("parameter", "/p", "/p", wish="images"), Thing("parameter", "/p", "/p", batch=SERVERS)
    for order in ((kept, deleted), (deleted, kept)):
        [one] = unified(order)
        assert (one.wish, one.batch) == ("images", SERVERS)


def test_what_is_needed_by_a_name_is_needed_by_the_ids_that_serve_it() -> None:
    gateway = Thing("gateway", "igw", "main", serves=frozenset({"internet access of vpc"}))
    server = thing("server", "internet access of vpc", "internet access of another")
    assert unified([server, gateway])[0].needs == {"igw", "internet access of another"}
