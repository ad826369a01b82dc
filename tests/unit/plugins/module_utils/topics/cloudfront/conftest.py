"""The options of the modules of what a distribution refers to, as Ansible hands them over."""

from __future__ import annotations

import pytest
from topic_options import cloudfront


@pytest.fixture
def options() -> cloudfront.Make:
    return cloudfront.options
