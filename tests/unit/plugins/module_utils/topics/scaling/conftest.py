"""The options of `autoscaling_server_groups` as Ansible completes them."""

from __future__ import annotations

import pytest
from topic_options import scaling


@pytest.fixture
def options() -> scaling.Make:
    return scaling.options
