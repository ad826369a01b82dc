"""CloudFront's edge: nginx, a cache for each distribution, functions run, invalidations honoured."""

from __future__ import annotations

from groundwork_lab.plane.edges.manager import EdgeManager

__all__ = ["EdgeManager"]
