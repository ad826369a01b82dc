"""One publisher at a time."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import this_process
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import lease
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import Claim

CLAIM = Claim("r", "site", "d", "now", "now", lease.LEASE, this_process(), 1, 1)


@pytest.mark.parametrize(("age", "free"), [(0, False), (119, False), (120, True), (100_000, True)])
def test_a_lease_ends(age: float, free: bool) -> None:
    if free:
        lease.check_free(CLAIM, age)
    else:
        with pytest.raises(GroundworkError, match=f"its lease expires in {120 - age} s"):
            lease.check_free(CLAIM, age)
