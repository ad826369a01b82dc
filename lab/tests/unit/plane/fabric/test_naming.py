"""Names and numbers derived from ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundwork_lab.plane.fabric import naming
from groundwork_lab.settings import Settings

SETTINGS = Settings("lab", Path("/state"), Path("/cache"))


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("eni-1", "eni1"),
        ("vpc-12345678", "vpc12345678"),
        ("eni-0123456789ab", "eni0123456789ab"),
        ("eni-0123456789abcdef0", "eni56789abcdef0"),
        ("igw-0123456789abcdef0", "igw56789abcdef0"),
    ],
)
def test_device_names_fit_the_kernel(name: str, device: str) -> None:
    assert naming.device_name(name) == device
    assert len(device) <= 15


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        (naming.internet_namespace(SETTINGS), "lab-internet"),
        (naming.aws_namespace(SETTINGS), "lab-aws"),
        (naming.laptop_namespace(SETTINGS), "lab-laptop"),
        (naming.visitor_namespace(SETTINGS), "lab-visitor"),
        (naming.router_namespace(SETTINGS, "vpc-1"), "lab-vpc-1"),
        (naming.gateway_namespace(SETTINGS, "igw-1"), "lab-igw-1"),
        (naming.interface_namespace(SETTINGS, "eni-1"), "lab-eni-1"),
    ],
)
def test_namespaces_carry_the_labs_name(namespace: str, expected: str) -> None:
    assert namespace == expected


def test_numbers_differ_and_stay_when_others_come_and_go() -> None:
    ids = [f"rtb-{number}" for number in range(50)]
    numbers = naming.numbering(ids, 1_000_000)
    assert len(set(numbers.values())) == 50
    assert naming.numbering(ids[:7], 1_000_000) == {name: numbers[name] for name in ids[:7]}


def test_numbers_differ_even_when_hashes_collide() -> None:
    assert sorted(naming.numbering(["a", "b", "c", "d"], 4).values()) == [0, 1, 2, 3]


def test_more_ids_than_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="All 2 numbers are in use"):
        naming.numbering(["a", "b", "c"], 2)
