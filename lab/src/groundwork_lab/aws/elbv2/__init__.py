"""Elastic Load Balancing v2 with AWS' own rules: moto's backend and responses with corrections.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="elbv2", protocol="query", signs_as="elasticloadbalancing", reach="lab")
