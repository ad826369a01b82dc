"""The load balancers' options as Ansible completes them."""

from __future__ import annotations

import pytest
from topic_options import alb


@pytest.fixture
def options() -> alb.Make:
    return alb.options


@pytest.fixture
def balancer() -> alb.Make:
    return alb.balancer
