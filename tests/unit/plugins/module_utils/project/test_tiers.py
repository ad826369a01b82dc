"""The roles of servers that claim the ticks of schedules."""

from __future__ import annotations

from ansible_collections.groundwork.aws.plugins.module_utils.project.tiers import (
    counted_roles,
    group_roles,
    with_profiles,
)

TIERS = {
    "public": {"count": 2},
    "own": {"count": 1, "instance_profile": "mine"},
    "private": {"group": {"min": 1, "max": 2}},
}
BOOT = {"private": {"parameters": ["/a"], "archives": [], "user_data": "#!"}}


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
