"""The options of `ec2_vpc_network` as Ansible hands them over."""

from __future__ import annotations

import pytest
from topic_options import network


@pytest.fixture
def options() -> network.Make:
    return network.options
