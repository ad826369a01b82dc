"""The plan's data: references are found, resolved and shown."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.plan import (
    KNOWN_AFTER_APPLY,
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
