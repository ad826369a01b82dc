"""Of several VPCs of one environment, the user learns which is the oldest, and what is in each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.doubles import Vpc, told

OLD, NEW = datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 1, 31, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("vpcs", "order"),
    [
        ([Vpc("vpc-2", {}, NEW), Vpc("vpc-1", {"instance": 2}, OLD)], ["vpc-1", "vpc-2"]),
        ([Vpc("vpc-1", {"subnet": 2}, None), Vpc("vpc-2", {}, NEW)], ["vpc-2", "vpc-1"]),
        ([Vpc("vpc-1", {"subnet": 1}, None), Vpc("vpc-2", {"subnet": 4}, None)], ["vpc-2", "vpc-1"]),
        ([Vpc("vpc-2", {}, None), Vpc("vpc-1", {}, None)], ["vpc-1", "vpc-2"]),
    ],
)
def test_the_oldest_is_the_first(vpcs: list[Vpc], order: list[str]) -> None:
    text = str(told("dev", vpcs))
    assert text.index(f"- {order[0]}") < text.index(f"- {order[1]}")
    assert f"Keep {order[0]} if it is the one in use, and delete {order[1]} with" in text


def test_what_is_in_a_vpc() -> None:
    assert str(Vpc("vpc-1", {"subnet": 1, "instance": 2, "NAT gateway": 0}, OLD)) == (
        "vpc-1: 1 subnet, 2 instances, in use since 2026-01-31T12:00:00Z"
    )
    assert str(Vpc("vpc-1", {"subnet": 0}, None)) == "vpc-1: empty"
