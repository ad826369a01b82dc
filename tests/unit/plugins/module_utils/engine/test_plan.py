"""The plan's data: references are found, resolved and shown."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    KNOWN_AFTER_APPLY,
    Joined,
    Ref,
    references,
    resolve,
    shown,
)

VPC = Ref("vpc", "main")


def test_references_are_found_at_any_depth() -> None:
    assert list(references({"a": [{"b": VPC}], "c": (VPC,), "d": "text"})) == [VPC, VPC]


def test_resolve_puts_ids_in_place() -> None:
    assert resolve({"VpcId": VPC, "Ports": (80, 443)}, {VPC: "vpc-1"}) == {"VpcId": "vpc-1", "Ports": [80, 443]}


def test_resolve_refuses_an_unknown_reference() -> None:
    with pytest.raises(KeyError):
        resolve(VPC, {})


def test_shown_has_a_placeholder_for_what_is_not_there_yet() -> None:
    assert shown({"VpcId": VPC}, {}) == {"VpcId": KNOWN_AFTER_APPLY}


def test_joined_is_text_of_what_there_is_when_it_is_known() -> None:
    joined = Joined((VPC, 2))
    assert list(references({"a": joined})) == [VPC]
    assert resolve([joined, Joined((3,))], {VPC: "vpc-1"}) == ["vpc-1,2", "3"]
    assert shown(joined, {}) == f"{KNOWN_AFTER_APPLY},2"
    with pytest.raises(KeyError):
        resolve(joined, {})
