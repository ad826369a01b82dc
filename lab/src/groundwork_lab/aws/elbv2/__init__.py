"""Elastic Load Balancing v2 with AWS' own rules: moto's backend and responses with corrections.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.elbv2.corrections import install
from groundwork_lab.aws.elbv2.world import sources

__all__ = ["install", "sources"]
