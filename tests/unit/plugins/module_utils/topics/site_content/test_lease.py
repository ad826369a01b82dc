"""One publisher at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import lease
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import Claim

CLAIM = Claim("r", "site", "d", "now", "now", lease.LEASE, lease.this_process(), 1, 1)


def test_who_lives_and_who_has_ended() -> None:
    owner = lease.this_process()
    assert owner.pid == os.getpid() and owner.who.count("@") == 1 and not lease.has_ended(owner)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = replace(owner, pid=other.pid, started=lease._started(other.pid))
        assert not lease.has_ended(theirs)
        other.kill()
    assert lease.has_ended(theirs)
    assert lease.has_ended(replace(owner, started="1")), "the same number is another process now"
    assert not lease.has_ended(replace(theirs, machine="another")), "nobody knows"
    assert not lease.has_ended(replace(theirs, machine=""))


@pytest.mark.parametrize(("age", "free"), [(0, False), (119, False), (120, True), (100_000, True)])
def test_a_lease_ends(age: float, free: bool) -> None:
    if free:
        lease.check_free(CLAIM, age)
    else:
        with pytest.raises(GroundworkError, match=f"its lease expires in {120 - age} s"):
            lease.check_free(CLAIM, age)
