"""Application Load Balancers: HAProxy in each of a balancer's nodes, and what it tells of its targets' health."""

from __future__ import annotations

from groundwork_lab.plane.balancers.manager import BalancerManager

__all__ = ["BalancerManager"]
