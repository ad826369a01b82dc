"""Route 53: moto's reads. The lab's resolver does not have hosted zones.

https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(
    client="route53", protocol="rest-xml", reach="global", global_endpoint=True, not_implemented="hosted zones"
)
