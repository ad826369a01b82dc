"""Classic Load Balancers: moto's reads. They sign as Elastic Load Balancing v2 does, with another version.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(
    client="elb",
    protocol="query",
    signs_as="elasticloadbalancing",
    version="2012-06-01",
    reach="lab",
    not_implemented="Classic Load Balancers",
)
