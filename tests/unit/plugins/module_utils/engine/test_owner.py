"""Resources are owned by their tags, and only missing tags are written."""

from __future__ import annotations

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, retag, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref

OWNER = Owner("dev", "network", {"cost": "1"})


def test_by_name_takes_what_is_ours() -> None:
    ours = {"Tags": tag_list(OWNER.tags("public-a")), "Id": 1}
    theirs = [
        {"Tags": tag_list(Owner("prod", "network").tags("public-a"))},
        {"Tags": tag_list(Owner("dev", "nat").tags("public-a"))},
        {},
    ]
    assert OWNER.by_name([*theirs, ours]) == {"public-a": ours}


def test_tags_of_others_stay_and_equal_gaps_share_a_call() -> None:
    one, other, whole = Ref("subnet", "a"), Ref("subnet", "b"), Ref("vpc", "main")
    wanted = {"cost": "1", "Name": "x"}
    changes = retag(
        [(one, {"Name": "x", "team": "w"}, wanted), (other, {"Name": "x"}, wanted), (whole, wanted, wanted)]
    )
    assert [(c.action, c.resource, c.name) for c in changes] == [("update", "tags", "subnet a, subnet b")]
    [call] = changes[0].calls
    assert call.arguments == {"Resources": [one, other], "Tags": [{"Key": "cost", "Value": "1"}]}


def test_many_resources_are_counted_in_the_name() -> None:
    [change] = retag([(Ref("subnet", str(n)), {}, {"a": "b"}) for n in range(4)])
    assert change.name == "4 resources"


def test_another_value_is_written() -> None:
    [change] = retag([(Ref("vpc", "main"), {"cost": "0"}, {"cost": "1"})])
    assert change.before == {"vpc main": {"cost": "0"}}
    assert change.after == {"vpc main": {"cost": "1"}}
