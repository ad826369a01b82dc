"""The `World` of the fabric's tests."""

from __future__ import annotations

from fabric_world import world

__all__ = ["world"]
