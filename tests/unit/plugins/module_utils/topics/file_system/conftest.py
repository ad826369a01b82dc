"""The options of `efs_file_system`."""

from __future__ import annotations

import typing as t

import pytest
from topic_options import file_system


@pytest.fixture
def options() -> t.Callable[..., dict[str, t.Any]]:
    return file_system.options
