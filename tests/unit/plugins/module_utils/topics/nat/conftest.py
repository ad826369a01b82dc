"""The options of `ec2_vpc_nat` as Ansible hands them over."""

from __future__ import annotations

import pytest
from topic_options import nat


@pytest.fixture
def options() -> nat.Make:
    return nat.options
