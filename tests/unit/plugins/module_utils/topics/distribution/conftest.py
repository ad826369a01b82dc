"""The options of `cloudfront_distribution` as Ansible hands them over."""

from __future__ import annotations

import pytest
from topic_options import distribution


@pytest.fixture
def options() -> distribution.Make:
    return distribution.options
