"""The options of `rds_database_instance`."""

from __future__ import annotations

import typing as t

import pytest
from topic_options import database


@pytest.fixture
def options() -> t.Callable[..., dict[str, t.Any]]:
    return database.options
