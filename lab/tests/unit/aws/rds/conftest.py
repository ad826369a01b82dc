"""The fixture `site`."""

from __future__ import annotations

from rds_site import site

__all__ = ["site"]
