"""The fixture of a running lab."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("running_lab")

from running_lab import lab  # noqa: E402 - as pytest rewrites its assertions

__all__ = ["lab"]
