from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import (
    ADDRESSES,
    STANDARD_VCPUS,
    VCPUS,
    Limit,
    Use,
    check_uses,
    vcpu_quota,
)


@pytest.mark.parametrize(
    ("instance_type", "code"),
    [
        ("t3.small", STANDARD_VCPUS.code),
        ("t4g.small", STANDARD_VCPUS.code),
        ("m7i-flex.large", STANDARD_VCPUS.code),
        ("im4gn.large", STANDARD_VCPUS.code),
        ("is4gen.large", STANDARD_VCPUS.code),
        ("c7gn.metal", STANDARD_VCPUS.code),
        ("z1d.large", STANDARD_VCPUS.code),
        ("g5.xlarge", VCPUS["g"].code),
        ("gr6.4xlarge", VCPUS["g"].code),
        ("vt1.3xlarge", VCPUS["vt"].code),
        ("p5.48xlarge", VCPUS["p"].code),
        ("x2idn.16xlarge", VCPUS["x"].code),
        ("inf2.xlarge", None),
        ("trn1.2xlarge", None),
        ("u-6tb1.metal", None),
        ("mac2.metal", None),
        ("hpc7a.96xlarge", None),
    ],
)
def test_the_quota_of_an_instance_type(instance_type: str, code: str | None) -> None:
    quota = vcpu_quota(instance_type)
    assert (quota.code if quota else None) == code


@pytest.mark.parametrize(
    ("used", "added", "limit", "refused", "warned"),
    [
        (0, 5, Limit(5), False, False),
        (1, 5, Limit(5), True, False),
        (9, 0, Limit(5), False, False),
        (1, 5, Limit(5, "no right"), False, True),
        (0, 5, Limit(5, "no right"), False, False),
    ],
)
def test_a_quota_that_a_run_would_exceed(used: int, added: int, limit: Limit, *, refused: bool, warned: bool) -> None:
    problems = Problems()
    check_uses([Use(ADDRESSES, used, added, "nat_mode")], {ADDRESSES: limit}, problems)
    assert (bool(problems.found), bool(problems.warnings)) == (refused, warned)
    said: list[t.Any] = [*problems.found, *problems.warnings]
    assert all(f"{added} more Elastic IP addresses" in str(one) and f"{used} are in use" in str(one) for one in said)
