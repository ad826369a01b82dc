from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from groundwork_lab.aws.pool import AddressPool, is_reserved, next_free

TINY = IPv4Network("10.0.0.0/29")  # .4, .5 and .6 are usable


@pytest.mark.parametrize(
    ("taken", "after", "expected"),
    [
        ([], None, "10.0.0.4"),
        (["10.0.0.4"], None, "10.0.0.5"),
        ([], "10.0.0.4", "10.0.0.5"),
        ([], "10.0.0.6", "10.0.0.4"),
        (["10.0.0.4"], "10.0.0.6", "10.0.0.5"),
        (["10.0.0.4", "10.0.0.5", "10.0.0.6"], None, None),
    ],
)
def test_next_free(taken: list[str], after: str | None, expected: str | None) -> None:
    found = next_free(TINY, {IPv4Address(each) for each in taken}, IPv4Address(after) if after else None)
    assert found == (IPv4Address(expected) if expected else None)


@pytest.mark.parametrize(
    ("address", "reserved"),
    [("10.0.0.0", True), ("10.0.0.3", True), ("10.0.0.4", False), ("10.0.0.6", False), ("10.0.0.7", True)],
)
def test_five_addresses_are_aws(address: str, reserved: bool) -> None:
    assert is_reserved(TINY, IPv4Address(address)) is reserved


def test_pool_gives_back_late_and_runs_out() -> None:
    pool = AddressPool(TINY)
    first = pool.allocate()
    assert first is not None
    pool.release(str(first))
    assert [pool.allocate() for _ in range(3)] == [IPv4Address(f"10.0.0.{n}") for n in (5, 6, 4)]
    assert pool.allocate() is None
