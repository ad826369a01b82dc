"""The options of `ec2_security_groups` as Ansible hands them over."""

from __future__ import annotations

import pytest
from topic_options import firewall


@pytest.fixture
def rule() -> firewall.Make:
    return firewall.rule


@pytest.fixture
def group() -> firewall.Make:
    return firewall.group


@pytest.fixture
def options() -> firewall.Make:
    return firewall.options
