"""CloudFront's edge: nginx with a cache for each distribution, functions, and invalidations."""

from __future__ import annotations

from groundwork_lab.plane.edges.manager import EdgeManager

__all__ = ["EdgeManager"]
