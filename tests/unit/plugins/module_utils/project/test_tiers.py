"""The roles of servers that claim ticks of schedules and release commands, and the time that these take."""

from __future__ import annotations

from typing import Any

from ansible_collections.groundwork.aws.plugins.module_utils.project.tiers import (
    counted_roles,
    group_roles,
    groups,
    with_profiles,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import LONGEST_GRACE

TIERS = {
    "public": {"count": 2},
    "own": {"count": 1, "instance_profile": "mine"},
    "private": {"group": {"min": 1, "max": 2}},
}
BOOT: dict[str, Any] = {"private": {"parameters": ["/a"], "archives": [], "user_data": "#!"}}


def test_counted_servers_get_a_role_only_to_claim() -> None:
    assert counted_roles(TIERS, claims=False) == {}
    roles = counted_roles(TIERS, claims=True)
    assert roles == {"public": {"claims": True}}
    assert with_profiles(TIERS, "dev", roles) == {
        "public": {"count": 2, "instance_profile": "dev-public"},
        "own": {"count": 1, "instance_profile": "mine"},
    }
    assert with_profiles(TIERS, "dev", {}) == {tier: TIERS[tier] for tier in ("public", "own")}


def test_groups_get_the_right_in_addition() -> None:
    rights = {"parameters": ["/a"], "archives": []}
    assert group_roles(TIERS, {}, BOOT) == {"private": rights}
    assert group_roles(TIERS, {}, BOOT, claims=True) == {"private": {**rights, "claims": True}}
    assert group_roles(TIERS, {}, {}, claims=True) == {}, "its servers do not configure themselves"


def test_a_group_whose_servers_run_release_commands_has_time_for_them() -> None:
    def grace(timeouts: tuple[int | None, ...], boot: dict[str, Any] | None = None, **group: int) -> int | None:
        tiers = {"private": {"group": {"min": 1, "max": 2, **group}}}
        found: dict[str, Any] = groups(tiers, "dev", {}, BOOT if boot is None else boot, timeouts)["private"]["group"]
        return found.get("health_check_grace")

    assert grace(()) is None
    assert grace((60, None)) == 300 + 60 + 600
    assert grace((3600, 3600)) == LONGEST_GRACE
    assert grace((60,), health_check_grace=400) == 400, "it is given"
    assert grace((60,), boot={}) is None, "its servers do not configure themselves"
