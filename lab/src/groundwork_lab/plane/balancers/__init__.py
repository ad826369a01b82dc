"""Application Load Balancers: an HAProxy in each node of a load balancer, and the health of the targets."""

from __future__ import annotations

from groundwork_lab.plane.balancers.manager import BalancerManager

__all__ = ["BalancerManager"]
